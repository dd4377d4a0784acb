"""Findings in a message: every place with its length, since what was found may have to be taken out."""

from collections.abc import Iterator, Sequence

from hauberk.core import Asset, Evidence, Fact, Finding, Gap, GapReason, Rule
from hauberk.detect.finding_of import MAX_EVIDENCE, finding_of

MAX_PLACES = 2000  # of one pattern in one message; a gap says that there are more


def findings_in_message(rule: Rule, asset: Asset, facts: Sequence[Fact]) -> Iterator[Finding | Gap]:
    """Findings of `facts`, whose attribute `length` counts bytes; as many as it takes to hold every place."""
    groups: dict[str, list[Fact]] = {}
    for fact in facts:
        groups.setdefault(fact.quote, []).append(fact)
    for shown, group in groups.items():
        for start in range(0, len(group), MAX_EVIDENCE):
            evidence = [_evidence(fact) for fact in group[start : start + MAX_EVIDENCE]]
            yield finding_of(rule, asset, evidence, note=shown)
    if len(facts) >= MAX_PLACES:
        yield Gap(asset.uri, GapReason.TOO_LARGE, f"{len(facts)} places found; there may be more", rule=rule.id)


def _evidence(fact: Fact) -> Evidence:
    length = fact.attrs.get("length")
    return Evidence(offset=fact.offset, length=length if isinstance(length, int) else None, where=fact.where, quote=fact.quote)
