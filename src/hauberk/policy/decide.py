"""Holds findings and gaps against the admission matrix."""

from collections.abc import Iterable

from hauberk.core import Admission, Entry, Finding, Gap, Policy, Verdict
from hauberk.core.policy import Action


def admission_of(policy: Policy, item: Finding | Gap) -> Admission:
    """What the first fitting entry says of one finding or gap; hold when none fits."""
    for entry in policy.entries:
        if _fits(entry, item):
            return entry.admit
    return Admission.HOLD


def decide(policy: Policy, findings: Iterable[Finding], gaps: Iterable[Gap]) -> Verdict:
    """The verdict on one asset: the strictest admission of all its findings and gaps."""
    findings, gaps = tuple(findings), tuple(gaps)
    action = Action.ALLOW
    for item in (*findings, *gaps):
        action = max(action, admission_of(policy, item).action)
    return Verdict(action, findings, gaps)


def _fits(entry: Entry, item: Finding | Gap) -> bool:
    if isinstance(item, Gap):
        return bool(entry.gaps) and item.reason in entry.gaps and (not entry.kinds or item.kind in entry.kinds)
    return (
        not entry.gaps
        and (not entry.kinds or item.kind in entry.kinds)
        and (not entry.stages or item.stage in entry.stages)
        and (not entry.risks or item.risk in entry.risks)
        and (not entry.rules or item.rule in entry.rules)
        and item.severity.rank >= entry.min_severity.rank
        and item.confidence.rank >= entry.min_confidence.rank
    )
