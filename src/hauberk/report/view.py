"""A run arranged for readers: accepted items set apart, assets by verdict, findings by severity."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from hauberk.core import Admission, AssetRecord, Finding, Gap, Run, Text
from hauberk.core.wellformed import well_formed
from hauberk.report.words import HEADLINES, worst
from hauberk.rules import RulePack

Item = TypeVar("Item", Finding, Gap)


class AssetView(msgspec.Struct, frozen=True):
    """A top-level asset with everything that counts against it."""

    record: AssetRecord
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]


class View(msgspec.Struct, frozen=True):
    """What every report shows. `assets` come worst first."""

    run: Run
    assets: tuple[AssetView, ...]
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    accepted_findings: tuple[Finding, ...]
    accepted_gaps: tuple[Gap, ...]
    verdict: Admission
    headline: Text
    counts: dict[str, int]  # verdict -> assets


def view_of(run: Run) -> View:
    """`run` arranged for readers."""
    run = well_formed(run)
    accepted = set(run.suppressed)
    findings, accepted_findings = _parted(run.findings, accepted)
    gaps, accepted_gaps = _parted(run.gaps, accepted)
    verdict = worst([record.verdict for record in run.assets])
    return View(
        run=run,
        assets=_assets(run, findings, gaps),
        findings=tuple(sorted(findings, key=_finding_order)),
        gaps=tuple(gaps),
        accepted_findings=tuple(accepted_findings),
        accepted_gaps=tuple(accepted_gaps),
        verdict=verdict,
        headline=_headline(run, verdict, incomplete=bool(gaps) or not run.complete),
        counts={v.value: sum(record.verdict == v for record in run.assets) for v in reversed(Admission)},
    )


def _parted(items: Iterable[Item], accepted: set[str]) -> tuple[list[Item], list[Item]]:
    counting: list[Item] = []
    apart: list[Item] = []
    for item in items:
        (apart if accepted and item.fingerprint in accepted else counting).append(item)
    return counting, apart


def _assets(run: Run, findings: list[Finding], gaps: list[Gap]) -> tuple[AssetView, ...]:
    by_root: dict[str, tuple[list[Finding], list[Gap]]] = {}
    for finding in findings:
        by_root.setdefault(finding.root or finding.asset, ([], []))[0].append(finding)
    for gap in gaps:
        by_root.setdefault(gap.root or gap.asset, ([], []))[1].append(gap)
    views: list[AssetView] = []
    for record in run.assets:
        its_findings, its_gaps = by_root.pop(record.uri, ([], []))
        views.append(AssetView(record, tuple(sorted(its_findings, key=_finding_order)), tuple(its_gaps)))
    for uri, (its_findings, its_gaps) in by_root.items():  # a run that was never concluded
        record = AssetRecord(uri=uri, kind="", verdict=Admission.HOLD)
        views.append(AssetView(record, tuple(sorted(its_findings, key=_finding_order)), tuple(its_gaps)))
    return tuple(sorted(views, key=_asset_order))


def _asset_order(view: AssetView) -> tuple[int, int, str]:
    return (-view.record.verdict.action, -max((f.severity.rank for f in view.findings), default=-1), view.record.uri)


def _finding_order(finding: Finding) -> tuple[int, int, str, str, str]:
    return (-finding.severity.rank, -finding.confidence.rank, finding.rule, finding.asset, finding.message)


def _headline(run: Run, verdict: Admission, *, incomplete: bool) -> Text:
    if verdict != Admission.ADMIT:
        return HEADLINES[verdict.value]
    if incomplete:
        return HEADLINES["incomplete"]
    return HEADLINES["admit" if run.assets else "empty"]


class RuleWords(msgspec.Struct, frozen=True):
    """What a report says of a rule."""

    title: Text
    why: Text
    fix: Text


def rule_words(pack: RulePack, finding: Finding) -> RuleWords:
    """The words of the finding's rule; those of the finding when the rule is gone from the pack."""
    rule = pack.by_id.get(finding.rule)
    if rule is None:
        return RuleWords(Text(en=finding.message, zh=finding.message), Text(en="", zh=""), Text(en="", zh=""))
    return RuleWords(rule.title, rule.why, rule.fix)


def risk_title(pack: RulePack, risk: str) -> Text:
    """The name of a risk in both languages."""
    title = pack.taxonomy.get("risks", {}).get(risk, {}).get("title", {})
    return Text(en=str(title.get("en", risk)), zh=str(title.get("zh", risk)))


def risk_ids(pack: RulePack, risk: str) -> dict[str, list[str]]:
    """Framework -> the ids it has for a risk; frameworks that name no such risk are left out."""
    risks, editions = pack.taxonomy.get("risks", {}), pack.taxonomy.get("editions", {})
    entry = risks.get(risk, {})
    return {framework: list(entry[framework]) for framework in editions if entry.get(framework)}
