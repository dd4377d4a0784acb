"""Turning what an engine matched into findings."""

from collections.abc import Iterable, Iterator

from hauberk.core import Asset, Confidence, Evidence, Fact, Finding, Rule, Severity

MAX_EVIDENCE = 10


def evidence_of(fact: Fact) -> Evidence:
    """A fact as evidence."""
    return Evidence(offset=fact.offset, where=fact.where, quote=fact.quote, note=fact.note)


def finding_of(
    rule: Rule,
    asset: Asset,
    evidence: Iterable[Evidence],
    *,
    note: str = "",
    severity: Severity | None = None,
    confidence: Confidence | None = None,
) -> Finding:
    """A finding of `rule` in `asset`; at most ten pieces of evidence are kept."""
    kept = tuple(evidence)[:MAX_EVIDENCE]
    message = f"{rule.title.en}: {note}" if note else rule.title.en
    return Finding(
        rule=rule.id,
        asset=asset.uri,
        severity=severity or rule.severity,
        confidence=confidence or rule.confidence,
        risk=rule.risk,
        stage=rule.stage,
        kind=asset.kind,
        message=message,
        evidence=kept,
    )


def findings_of_facts(rule: Rule, asset: Asset, facts: Iterable[Fact]) -> Iterator[Finding]:
    """One finding for each distinct quoted piece, with every place it was seen as evidence."""
    groups: dict[str, list[Fact]] = {}
    for fact in facts:
        groups.setdefault(fact.quote or fact.note, []).append(fact)
    for group in groups.values():
        first = group[0]
        note = first.note or first.quote
        yield finding_of(rule, asset, map(evidence_of, group), note=note)
