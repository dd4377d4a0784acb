"""`[guard.policy]` of hauberk.toml: which messages are flagged, redacted, asked about and blocked."""

from collections.abc import Mapping

import msgspec

from hauberk.policy.default_messages import BLOCK_RATE, FLAG_RATE, default_entries
from hauberk.policy.errors import PolicyError
from hauberk.policy.messages import MessageEntry, MessagePolicy


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
    if written.replace_defaults and not written.entry:
        raise PolicyError("guard.policy.replace-defaults: leaves no entry at all; write [[guard.policy.entry]] rows, or remove it")
    defaults = () if written.replace_defaults else default_entries(written.block_rate, written.flag_rate)
    return MessagePolicy(entries=(*written.entry, *defaults), fail=fail)
