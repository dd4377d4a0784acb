"""What is done with a message: findings and gaps held against rows of a table, as for files, on the scale of `Action`."""

from collections.abc import Callable, Iterable
from enum import StrEnum

import msgspec

from hauberk.assets.chat import Direction, MessageContent, Role
from hauberk.core import Action, Confidence, Finding, Gap, GapReason, Severity, Verdict
from hauberk.detect.output.tool_effect import Effect
from hauberk.policy.call_origin import CallOrigin, by_origin, effect


class Act(StrEnum):
    """The names of `Action` as a policy writes them."""

    ALLOW = "allow"
    FLAG = "flag"
    REDACT = "redact"
    ASK = "ask"
    BLOCK = "block"

    @property
    def action(self) -> Action:
        """The same on the scale of core."""
        return Action[self.name]


class Remedy(StrEnum):
    """How `redact` changes the text."""

    MASK = "mask"  # the found piece becomes a placeholder that names its kind
    STRIP = "strip"  # the found piece is cut out
    SPOTLIGHT = "spotlight"  # the whole message is delimited and marked as data, never instructions


class MessageEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """One row; the first that fits a finding or gap decides it. Empty tuples fit everything.

    `rate`: of detectors that give a score, only findings at or over the score that this share of ordinary messages
    exceeds (0.001: one false alarm in a thousand). A row with `gaps` judges gaps by reason; any other judges findings.
    `calls`: only values in the arguments of a tool's call, and only those of these origins; `effects`: only calls of tools that
    do this.
    """

    action: Act
    roles: tuple[Role, ...] = ()
    directions: tuple[Direction, ...] = ()
    risks: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    min_severity: Severity = Severity.INFO
    min_confidence: Confidence = Confidence.LOW
    rate: float = 1.0
    remedy: Remedy = Remedy.MASK
    gaps: tuple[GapReason, ...] = ()
    calls: tuple[CallOrigin, ...] = ()
    effects: tuple[Effect, ...] = ()


class MessagePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The rows, and what happens when a detector could not decide: closed blocks, open lets through and says so."""

    entries: tuple[MessageEntry, ...]
    fail: str = "closed"


class Ruling(msgspec.Struct, frozen=True):
    """One finding or gap with the row that decided it."""

    item: Finding | Gap
    act: Act
    remedy: Remedy = Remedy.MASK


Threshold = Callable[[str, float], float]
"""Of a rule and a false-alarm rate: the score from which it counts."""


def rulings(
    policy: MessagePolicy, message: MessageContent, items: Iterable[Finding | Gap], threshold: Threshold
) -> tuple[Ruling, ...]:
    """What the policy says of each finding and gap of `message`. What no row fits: blocked when closed, else flagged."""
    if message.call is None or not any(entry.calls for entry in policy.entries):
        return tuple(_ruling(policy, message, item, threshold) for item in items)
    return tuple(
        _ruling(policy, message, part, threshold, origin)
        for item in items
        for origin, part in (by_origin(message, item) if isinstance(item, Finding) else ((None, item),))
    )


def verdict_of(made: Iterable[Ruling]) -> Verdict:
    """The strictest act of all, with what led to it."""
    made = tuple(made)
    action = max((ruling.act.action for ruling in made), default=Action.ALLOW)
    findings = tuple(r.item for r in made if isinstance(r.item, Finding))
    gaps = tuple(r.item for r in made if isinstance(r.item, Gap))
    return Verdict(action, findings, gaps)


def _ruling(
    policy: MessagePolicy,
    message: MessageContent,
    item: Finding | Gap,
    threshold: Threshold,
    origin: CallOrigin | None = None,
) -> Ruling:
    for entry in policy.entries:
        if _fits(entry, message, item, threshold, origin):
            return Ruling(item, entry.action, entry.remedy)
    if isinstance(item, Gap):
        return Ruling(item, Act.BLOCK if policy.fail == "closed" else Act.FLAG)
    return Ruling(item, Act.FLAG)


def _fits(
    entry: MessageEntry, message: MessageContent, item: Finding | Gap, threshold: Threshold, origin: CallOrigin | None
) -> bool:
    if (entry.roles and message.role not in entry.roles) or (entry.directions and message.direction not in entry.directions):
        return False
    if (entry.calls and origin not in entry.calls) or (entry.effects and not _does(message, entry.effects)):
        return False
    if isinstance(item, Gap):
        return bool(entry.gaps) and item.reason in entry.gaps
    return (
        not entry.gaps
        and (not entry.risks or item.risk in entry.risks)
        and (not entry.rules or item.rule in entry.rules)
        and item.severity.rank >= entry.min_severity.rank
        and item.confidence.rank >= entry.min_confidence.rank
        and (entry.rate >= 1 or _over(item, entry.rate, threshold))
    )


def _does(message: MessageContent, effects: tuple[Effect, ...]) -> bool:
    return message.call is not None and effect(message) in effects


def _over(finding: Finding, rate: float, threshold: Threshold) -> bool:
    scores = [piece.score for piece in finding.evidence if piece.score is not None]
    return not scores or max(scores) >= threshold(finding.rule, rate)
