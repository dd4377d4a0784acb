"""`--format plain`: for the terminal, the verdict first."""

from collections.abc import Iterable, Iterator

from hauberk.core import AssetRecord, Evidence, Finding, Gap, Run
from hauberk.report.ansi import Paint
from hauberk.report.printable import flowing, printable, shortened, size_text
from hauberk.report.view import AssetView, View, rule_words, view_of
from hauberk.report.words import CONFIDENCES, GAPS, SEVERITIES, VERDICTS, WORDS
from hauberk.rules import RulePack

EVIDENCE_SHOWN = 3
ACCEPTED_SHOWN = 20
GAPS_SHOWN = 50


def render(run: Run, pack: RulePack, language: str, *, colour: bool = False) -> bytes:
    """`run` as text. Colours only when asked for; nothing a scanned file says reaches the terminal unescaped."""
    return ("\n".join(_Page(view_of(run), pack, language, Paint(colour=colour)).lines()) + "\n").encode("utf-8")


def verdict_lines(view: View, language: str, paint: Paint) -> Iterator[str]:
    """What a person reads first: the verdict and the counts."""
    word = VERDICTS[view.verdict.value][language]
    yield f"{paint(view.verdict.value, word.upper())}  {view.headline[language]}"
    parts = [f"{count} {WORDS[name][language]}" for name, count in view.counts.items()]
    parts += [f"{len(view.findings)} {WORDS['finding-count'][language]}", f"{len(view.gaps)} {WORDS['gap-count'][language]}"]
    accepted = len(view.accepted_findings) + len(view.accepted_gaps)
    if accepted:
        parts.append(f"{accepted} {WORDS['accepted'][language].lower()}")
    yield "       " + paint("dim", " · ".join(parts))
    if not view.run.complete:
        yield "       " + WORDS["incomplete-run"][language]


class _Page:
    """One report being written."""

    def __init__(self, view: View, pack: RulePack, language: str, paint: Paint) -> None:
        self.view, self.pack, self.language, self.paint = view, pack, language, paint
        self._explained: set[str] = set()

    def lines(self) -> Iterator[str]:
        yield from verdict_lines(self.view, self.language, self.paint)
        for asset in self.view.assets:
            if asset.findings:
                yield ""
                yield from self._asset(asset)
        yield from self._gaps()
        yield from self._accepted()
        yield from self._notices()
        yield ""
        run = self.view.run
        yield self.paint("dim", printable(f"hauberk {run.versions.tool} · rules {run.versions.rules} · run {run.id}"))

    def _asset(self, asset: AssetView) -> Iterator[str]:
        record = asset.record
        verdict = self.paint(record.verdict.value, VERDICTS[record.verdict.value][self.language].upper())
        yield f"{verdict}  {self.paint('bold', shortened(record.uri))}  {self.paint('dim', _facts(record))}".rstrip()
        for finding in asset.findings:
            yield from self._finding(finding, record.uri)

    def _finding(self, finding: Finding, root: str) -> Iterator[str]:
        words, language = rule_words(self.pack, finding), self.language
        severity = self.paint(finding.severity.value, SEVERITIES[finding.severity.value][language])
        sure = CONFIDENCES[finding.confidence.value][language]
        title = finding.message if language == "en" else _translated(finding, words.title.en, words.title.zh)
        yield f"  {severity} ({sure})  {shortened(title, 300)}  {self.paint('dim', '[' + printable(finding.rule) + ']')}"
        if finding.asset != root:
            yield f"    {WORDS['where'][language]}: {shortened(_inside(finding.asset, root))}"
        for evidence in finding.evidence[:EVIDENCE_SHOWN]:
            yield f"    {_place(evidence, finding.message, language)}"
        if len(finding.evidence) > EVIDENCE_SHOWN:
            yield f"    … {len(finding.evidence) - EVIDENCE_SHOWN} {WORDS['more'][language]}"
        if finding.rule not in self._explained:  # once a report: the same rule says the same thing
            self._explained.add(finding.rule)
            for key, text in (("why", words.why[language]), ("fix", words.fix[language])):
                if text:
                    yield f"    {self.paint('dim', WORDS[key][language] + ':')} {flowing(text)}"

    def _gaps(self) -> Iterator[str]:
        if not self.view.gaps:
            return
        language = self.language
        yield ""
        title, means = self.paint("bold", WORDS["gaps"][language]), self.paint("dim", WORDS["gaps-mean"][language])
        yield f"{title} ({len(self.view.gaps)})  {means}"
        for gap in self.view.gaps[:GAPS_SHOWN]:
            yield f"  {shortened(gap.asset)}: {gap_text(gap, language)}"
        yield from self._left(len(self.view.gaps) - GAPS_SHOWN)

    def _accepted(self) -> Iterator[str]:
        items: list[Finding | Gap] = [*self.view.accepted_findings, *self.view.accepted_gaps]
        if not items:
            return
        yield ""
        yield f"{self.paint('bold', WORDS['accepted'][self.language])} ({len(items)})"
        for item in items[:ACCEPTED_SHOWN]:
            text = item.message if isinstance(item, Finding) else gap_text(item, self.language)
            yield f"  {shortened(item.asset)}: {shortened(text)}"
        yield from self._left(len(items) - ACCEPTED_SHOWN)

    def _notices(self) -> Iterator[str]:
        if self.view.run.notices:
            yield ""
            yield self.paint("bold", WORDS["notices"][self.language])
            yield from (f"  {printable(notice)}" for notice in self.view.run.notices)

    def _left(self, count: int) -> Iterator[str]:
        if count > 0:
            yield "  … " + WORDS["and-more"][self.language].replace("{n}", str(count))


def gap_text(gap: Gap, language: str) -> str:
    """Why something was not looked at, with what is known of it."""
    why = GAPS[gap.reason.value][language]
    note = shortened(gap.note, 300)
    place = f" ({WORDS['offset'][language]} {gap.offset})" if gap.offset is not None else ""
    return (f"{why}: {note}" if note and note != why else why) + place


def _facts(record: AssetRecord) -> str:
    parts: Iterable[str] = (record.format, size_text(record.size) if record.size else "")
    return " · ".join(printable(part) for part in parts if part)


def _inside(asset: str, root: str) -> str:
    return asset[len(root) :].removeprefix("!/") if asset.startswith(root + "!/") else asset


def _place(evidence: Evidence, message: str, language: str) -> str:
    parts = [f"{WORDS['offset'][language]} {evidence.offset}" if evidence.offset is not None else "", printable(evidence.where)]
    place = " · ".join(part for part in parts if part)
    piece = evidence.quote or evidence.note
    quoted = "" if place and piece in message else shortened(piece)  # not twice in two lines
    return f"{place}  {quoted}".strip() or "-"


def _translated(finding: Finding, title_en: str, title_zh: str) -> str:
    """The message with its English title replaced by the Chinese one; what follows the title names things, not prose."""
    return title_zh + finding.message[len(title_en) :] if finding.message.startswith(title_en) else title_zh
