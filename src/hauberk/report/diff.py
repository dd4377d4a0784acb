"""`hauberk report --diff A B`: what changed between two runs."""

from collections.abc import Callable, Iterator

import msgspec

from hauberk.core import Finding, Gap
from hauberk.core.wellformed import well_formed
from hauberk.policy.compare import Comparison, VerdictChange
from hauberk.report.ansi import Paint
from hauberk.report.md import code, escaped
from hauberk.report.plain import gap_text
from hauberk.report.printable import printable, shortened
from hauberk.report.view import rule_words
from hauberk.report.words import SEVERITIES, VERDICTS, WORDS
from hauberk.rules import RulePack

SCHEMA = "hauberk.diff/1"
FORMATS = ("plain", "json", "md")
_FINDINGS = ("new", "fixed", "unseen", "accepted", "unchanged")
_GAPS = ("new_gaps", "closed_gaps")


def render(
    comparison: Comparison,
    pack: RulePack,
    language: str,
    name: str = "plain",
    *,
    colour: bool = False,
) -> bytes:
    """The comparison in the format called `name`: plain, json or md. Raises ValueError for another."""
    comparison = well_formed(comparison)
    if name == "json":
        return _json(comparison)
    if name not in FORMATS:
        raise ValueError(f"a difference has no format {name!r}; ask for {', '.join(FORMATS)}")
    lines = _markdown(comparison, pack, language) if name == "md" else _plain(comparison, pack, language, Paint(colour=colour))
    return ("\n".join(lines) + "\n").encode("utf-8")


def _json(comparison: Comparison) -> bytes:
    document = {
        "schema": SCHEMA,
        "before": comparison.before,
        "after": comparison.after,
        **{key: [_named(item) for item in getattr(comparison, key)] for key in (*_FINDINGS, *_GAPS)},
        "verdicts": comparison.verdicts,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _named(item: Finding | Gap) -> dict[str, object]:
    return {"fingerprint": item.fingerprint, **{name: getattr(item, name) for name in item.__struct_fields__}}


def _plain(comparison: Comparison, pack: RulePack, language: str, paint: Paint) -> Iterator[str]:
    yield paint("bold", f"{printable(comparison.before)} → {printable(comparison.after)}")
    yield "  " + _counts(comparison, language)
    yield from _sections(comparison, pack, language, lambda text: ("", paint("bold", text)), shortened, shortened, "  ")


def _markdown(comparison: Comparison, pack: RulePack, language: str) -> Iterator[str]:
    yield f"# {code(comparison.before)} → {code(comparison.after)}"
    yield ""
    yield _counts(comparison, language)
    yield from _sections(comparison, pack, language, lambda text: ("", f"## {text}", ""), code, escaped, "- ")


def _counts(comparison: Comparison, language: str) -> str:
    return " · ".join(f"{WORDS[key][language]} {len(getattr(comparison, key))}" for key in _FINDINGS)


def _sections(
    comparison: Comparison,
    pack: RulePack,
    language: str,
    heading: Callable[[str], tuple[str, ...]],
    named: Callable[[str], str],
    said: Callable[[str], str],
    bullet: str,
) -> Iterator[str]:
    changes = [_change(change, language, named) for change in comparison.verdicts]
    parts: list[tuple[str, list[str]]] = [("verdict-changes", changes)]
    for key in _FINDINGS[:-1]:  # what is unchanged is counted, not listed
        findings: tuple[Finding, ...] = getattr(comparison, key)
        parts.append((key, [_finding(finding, pack, language, named, said) for finding in findings]))
    for key in _GAPS:
        gaps: tuple[Gap, ...] = getattr(comparison, key)
        parts.append((key.replace("_", "-"), [f"{named(gap.asset)}: {said(gap_text(gap, language))}" for gap in gaps]))
    if not any(lines for _, lines in parts):
        yield from heading(WORDS["no-change"][language])
    for key, lines in parts:
        if lines:
            yield from heading(f"{WORDS[key][language]} ({len(lines)})")
            yield from (bullet + line for line in lines)


def _finding(finding: Finding, pack: RulePack, language: str, named: Callable[[str], str], said: Callable[[str], str]) -> str:
    title = finding.message if language == "en" else rule_words(pack, finding).title[language]
    return f"{SEVERITIES[finding.severity.value][language]}  {named(finding.asset)}: {said(title)} [{said(finding.rule)}]"


def _change(change: VerdictChange, language: str, named: Callable[[str], str]) -> str:
    before, after = (VERDICTS[v.value][language] if v else "–" for v in (change.before, change.after))
    return f"{named(change.uri)}: {before} → {after}"
