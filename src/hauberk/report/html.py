"""`--format html`: one self-contained page that a manager can read. No script of others, no request to anywhere."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec

from hauberk.core import Finding, Gap, Run, Text
from hauberk.report.printable import flowing, printable, shortened, size_text
from hauberk.report.view import RuleWords, View, risk_ids, risk_title, rule_words, view_of
from hauberk.report.words import CONFIDENCES, GAPS, SEVERITIES, STAGES, VERDICTS, WORDS
from hauberk.rules import RulePack

if TYPE_CHECKING:
    from jinja2 import Template

PLACES_SHOWN = 40  # of one rule
ROWS_SHOWN = 2000  # of the inventory, and of the gaps


class RuleGroup(msgspec.Struct, frozen=True):
    """The findings of one rule."""

    rule: str
    words: RuleWords
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Finding:
        """The finding to judge the rule by."""
        return max(self.findings, key=lambda f: (f.severity.rank, f.confidence.rank))


class RiskGroup(msgspec.Struct, frozen=True):
    """The findings of one risk, by rule."""

    title: Text
    ids: tuple[str, ...]
    rules: tuple[RuleGroup, ...]

    @property
    def order(self) -> tuple[int, int]:
        """Worst first."""
        severity = max(group.worst.severity.rank for group in self.rules)
        return -severity, -sum(len(group.findings) for group in self.rules)


def render(run: Run, pack: RulePack, language: str) -> bytes:
    """`run` as one page. `language` is the one it opens in; the reader may switch."""
    view = view_of(run)
    style, script = _asset("report.css"), _asset("report.js")
    page = _template().render(
        view=view,
        run=view.run,
        language="zh" if language == "zh" else "en",
        risks=_risks(view, pack),
        style=style,
        script=script,
        policy=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'",
        inventory=view.assets[:ROWS_SHOWN],
        inventory_left=max(0, len(view.assets) - ROWS_SHOWN),
        gaps=view.gaps[:ROWS_SHOWN],
        gaps_left=max(0, len(view.gaps) - ROWS_SHOWN),
        accepted=[_accepted(item) for item in (*view.accepted_findings, *view.accepted_gaps)[:ROWS_SHOWN]],
        accepted_left=max(0, len(view.accepted_findings) + len(view.accepted_gaps) - ROWS_SHOWN),
        places_shown=PLACES_SHOWN,
    )
    return page.encode("utf-8")


def _risks(view: View, pack: RulePack) -> list[RiskGroup]:
    by_risk: dict[str, dict[str, list[Finding]]] = {}
    for finding in view.findings:
        by_risk.setdefault(finding.risk, {}).setdefault(finding.rule, []).append(finding)
    groups: list[RiskGroup] = []
    for risk, rules in by_risk.items():
        made = [RuleGroup(name, rule_words(pack, found[0]), tuple(found)) for name, found in rules.items()]
        made.sort(key=lambda group: (-group.worst.severity.rank, -group.worst.confidence.rank, group.rule))
        ids = tuple(dict.fromkeys(i for found in risk_ids(pack, risk).values() for i in found))
        groups.append(RiskGroup(risk_title(pack, risk), ids, tuple(made)))
    return sorted(groups, key=lambda group: group.order)


def _accepted(item: Finding | Gap) -> tuple[str, str]:
    return item.asset, item.message if isinstance(item, Finding) else f"{item.reason.value}: {item.note}"


def detail_of(finding: Finding, words: RuleWords) -> str:
    """What the message says beyond the rule's title."""
    return finding.message.removeprefix(words.title.en).removeprefix(": ")


def place_of(finding: Finding) -> str:
    """The part of the asset's name that says where inside its top-level asset it lies."""
    inside = finding.asset.startswith(finding.root + "!/")
    return finding.asset[len(finding.root) + 2 :] if inside else ""


def _asset(name: str) -> str:
    return files("hauberk.report").joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


@cache
def _template() -> "Template":
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(printable=printable, shortened=shortened, flowing=flowing, size=size_text)
    names: dict[str, Any] = {
        "W": WORDS,
        "VERDICTS": VERDICTS,
        "SEVERITIES": SEVERITIES,
        "CONFIDENCES": CONFIDENCES,
        "STAGES": STAGES,
        "GAPS": GAPS,
        "detail_of": detail_of,
        "place_of": place_of,
    }
    return environment.from_string(_asset("report.html.jinja"), globals=names)
