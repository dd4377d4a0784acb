"""`[guard.policy]` of hauberk.toml: which messages are flagged, redacted, asked about and blocked."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from hauberk.policy.default_messages import BLOCK_RATE, FLAG_RATE, default_entries
from hauberk.policy.errors import PolicyError
from hauberk.policy.messages import Act, MessageEntry, MessagePolicy, Remedy


class PolicyTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """As written. The rates are shares of ordinary messages: 0.002 is two false alarms in a thousand."""

    block_rate: float = BLOCK_RATE
    flag_rate: float = FLAG_RATE
    replace_defaults: bool = False
    entry: tuple[MessageEntry, ...] = ()


def policy_table(table: Mapping[str, object]) -> PolicyTable:
    """A `[guard.policy]` table as written. Raises PolicyError: one line with the key and what to do."""
    try:
        return msgspec.convert(table, PolicyTable)
    except msgspec.ValidationError as error:
        raise PolicyError(f"guard.policy: {error}; see docs/guard.md") from error


def message_policy(table: Mapping[str, object], *, fail: str = "closed") -> MessagePolicy:
    """The policy in a `[guard.policy]` table. Raises PolicyError: one line with the key and what to do."""
    written = policy_table(table)
    for name, rate in (("block-rate", written.block_rate), ("flag-rate", written.flag_rate)):
        if not 0 < rate <= 1:
            raise PolicyError(f"guard.policy.{name}: must be more than 0 and at most 1 (0.002: two in a thousand)")
    if written.flag_rate < written.block_rate:
        raise PolicyError(
            f"guard.policy.flag-rate: must not be less than block-rate ({written.block_rate:g}): what is blocked is flagged too"
        )
    for number, entry in enumerate(written.entry):
        for wrong in _wrong(entry):
            raise PolicyError(f"guard.policy.entry[{number}].{wrong}")
    if written.replace_defaults and not written.entry:
        raise PolicyError("guard.policy.replace-defaults: leaves no entry at all; write [[guard.policy.entry]] rows, or remove it")
    defaults = () if written.replace_defaults else default_entries(written.block_rate, written.flag_rate)
    return MessagePolicy(entries=(*written.entry, *defaults), fail=fail)


def check_names(policy: MessagePolicy, rules: Iterable[str], risks: Iterable[str]) -> None:
    """Raises PolicyError when a row names a rule or a risk that is not there, and so would fit nothing."""
    rules, risks = frozenset(rules), frozenset(risks)
    for entry in policy.entries:
        for what, names, known in (("rule", entry.rules, rules), ("risk", entry.risks, risks)):
            for name in names:
                if name not in known:
                    raise PolicyError(f"guard.policy.entry: no {what} of messages is called {name[:60]!r}; see `hauberk rules`")


def _wrong(entry: MessageEntry) -> Iterator[str]:
    """Of one row: a rate that is none, and fields that would do nothing."""
    if not 0 < entry.rate <= 1:
        yield "rate: must be more than 0 and at most 1 (0.002: two in a thousand)"
    if entry.remedy is not Remedy.MASK and entry.action is not Act.REDACT:
        yield f'remedy: says how to redact, and the action is {entry.action.value}; write action = "redact", or remove it'
    of_findings = MessageEntry(entry.action, gaps=entry.gaps, roles=entry.roles, directions=entry.directions, effects=entry.effects)
    if entry.gaps and msgspec.structs.replace(entry, remedy=Remedy.MASK) != of_findings:
        yield "gaps: a row with it judges gaps and nothing else; give rules, risks, severities, rate and calls a row of their own"
