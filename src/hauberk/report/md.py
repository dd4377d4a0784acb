"""`--format md`: Markdown for pull requests and tickets."""

import re
from collections.abc import Iterator

from hauberk.core import Evidence, Finding, Run
from hauberk.report.plain import gap_text
from hauberk.report.printable import flowing, printable, shortened
from hauberk.report.view import AssetView, rule_words, view_of
from hauberk.report.words import CONFIDENCES, SEVERITIES, VERDICTS, WORDS
from hauberk.rules import RulePack

FINDINGS_SHOWN = 500
GAPS_SHOWN = 200
EVIDENCE_SHOWN = 3
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+!|~&@$-])")


def render(run: Run, pack: RulePack, language: str) -> bytes:
    """`run` as Markdown. What a scanned file says is escaped or set in code, so that it cannot become markup."""
    return ("\n".join(_lines(run, pack, language)) + "\n").encode("utf-8")


def escaped(text: str) -> str:
    """`text` as Markdown prose that shows it literally."""
    return _MARKUP.sub(r"\\\1", printable(text)).replace("://", "&#58;//")


def code(text: str, limit: int = 200) -> str:
    """`text` as a code span, fenced by more backticks than it holds."""
    shown = shortened(text, limit)
    fence = "`" * (max((len(ticks) for ticks in re.findall(r"`+", shown)), default=0) + 1)
    padding = " " if shown[:1] in {"`", " ", ""} or shown[-1:] in {"`", " "} else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def _lines(run: Run, pack: RulePack, language: str) -> Iterator[str]:
    view = view_of(run)
    counts = " · ".join(f"{count} {WORDS[name][language]}" for name, count in view.counts.items())
    yield f"# {WORDS['title'][language]}"
    yield ""
    yield f"**{VERDICTS[view.verdict.value][language].upper()}**: {view.headline[language]}"
    yield ""
    yield f"{counts} · {len(view.findings)} {WORDS['finding-count'][language]} · {len(view.gaps)} {WORDS['gap-count'][language]}"
    if not run.complete:
        yield ""
        yield f"**{WORDS['incomplete-run'][language]}**"
    yield from ("", f"## {WORDS['findings'][language]}", "")
    if not view.findings:
        yield WORDS["no-findings"][language]
    left = FINDINGS_SHOWN
    for asset in view.assets:
        if asset.findings and left > 0:
            yield from _asset(asset, pack, language, left)
            left -= len(asset.findings)
    yield from _more(len(view.findings) - FINDINGS_SHOWN, language)
    yield from ("", f"## {WORDS['gaps'][language]}", "")
    yield WORDS["gaps-mean" if view.gaps else "no-gaps"][language]
    if view.gaps:
        yield ""
    for gap in view.gaps[:GAPS_SHOWN]:
        yield f"- {code(gap.asset)}: {escaped(gap_text(gap, language))}"
    yield from _more(len(view.gaps) - GAPS_SHOWN, language)
    accepted = (*view.accepted_findings, *view.accepted_gaps)
    if accepted:
        yield from ("", f"## {WORDS['accepted'][language]}", "")
        for item in accepted[:GAPS_SHOWN]:
            text = item.message if isinstance(item, Finding) else gap_text(item, language)
            yield f"- {code(item.asset)}: {escaped(shortened(text))}"
        yield from _more(len(accepted) - GAPS_SHOWN, language)
    if run.notices:
        yield from ("", f"## {WORDS['notices'][language]}", "")
        yield from (f"- {escaped(notice)}" for notice in view.run.notices)
    versions = view.run.versions
    yield from ("", f"hauberk {escaped(versions.tool)} · rules {code(versions.rules)} · run {code(view.run.id)}")


def _asset(asset: AssetView, pack: RulePack, language: str, left: int) -> Iterator[str]:
    yield f"### {VERDICTS[asset.record.verdict.value][language]}: {code(asset.record.uri)}"
    yield ""
    explained: set[str] = set()
    for finding in asset.findings[:left]:
        words = rule_words(pack, finding)
        sure = f"{SEVERITIES[finding.severity.value][language]}, {CONFIDENCES[finding.confidence.value][language]}"
        title = words.title[language] if finding.rule in pack.by_id else escaped(finding.message)
        detail = finding.message.removeprefix(words.title.en).removeprefix(": ")
        tail = f": {escaped(shortened(detail, 300))}" if detail and finding.rule in pack.by_id else ""
        yield f"- **{title}**{tail} ({sure}) {code(finding.rule)}"
        if finding.asset != asset.record.uri:
            yield f"  - {WORDS['where'][language]}: {code(finding.asset)}"
        for piece in finding.evidence[:EVIDENCE_SHOWN]:
            yield f"  - {_place(piece, language)}"
        if len(finding.evidence) > EVIDENCE_SHOWN:
            yield f"  - … {len(finding.evidence) - EVIDENCE_SHOWN} {WORDS['more'][language]}"
        if finding.rule not in explained and words.why[language]:
            explained.add(finding.rule)
            yield f"  - {WORDS['why'][language]}: {flowing(words.why[language])}"
            yield f"  - {WORDS['fix'][language]}: {flowing(words.fix[language])}"
    yield ""


def _place(piece: Evidence, language: str) -> str:
    offset = f"{WORDS['offset'][language]} {piece.offset}" if piece.offset is not None else ""
    parts = [offset, code(piece.where) if piece.where else "", code(piece.quote) if piece.quote else escaped(piece.note)]
    return " · ".join(part for part in parts if part) or "-"


def _more(count: int, language: str) -> Iterator[str]:
    if count > 0:
        yield from ("", WORDS["and-more"][language].replace("{n}", str(count)))
