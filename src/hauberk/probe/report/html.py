"""The report for people: one self-contained page in both languages. No script of others, no request to anywhere."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from hauberk.probe.grades.correct import sensitivity, specificity
from hauberk.probe.grades.graded import Crossed
from hauberk.probe.report import show
from hauberk.probe.report.view import View, unfolded
from hauberk.probe.report.words import BANKS, DIRECTIONS, FAMILIES, MEASURES, OUTCOMES, STANDINGS, WORDS
from hauberk.report.printable import flowing, printable, shortened
from hauberk.report.view import risk_ids, risk_title
from hauberk.rules import RulePack

if TYPE_CHECKING:
    from jinja2 import Template


def render(view: View, pack: RulePack, language: str) -> bytes:
    """`view` as one page. `language` is the one it opens in; the reader may switch."""
    style = _shared("report.css") + _own("probe.css")
    script = _shared("report.js")
    cells = {(cell.risk, cell.family): cell for cell in view.graded.cells}
    risks = sorted({risk for risk, _ in cells}, key=lambda risk: _worst(risk, cells))
    page = _template().render(
        view=view,
        graded=view.graded,
        language="zh" if language == "zh" else "en",
        cells=cells,
        risks=[(risk, risk_title(pack, risk), _ids(pack, risk)) for risk in risks],
        risk_titles={rated.name: risk_title(pack, rated.name) for rated in view.graded.risks},
        related=any(rated.relative for rated in view.graded.risks),
        families=sorted({family for _, family in cells}, key=list(FAMILIES).index),
        verdict=_verdict(view),
        style=style,
        script=script,
        policy=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'",
    )
    return page.encode("utf-8")


def _worst(risk: str, cells: dict[tuple[str, str], Crossed]) -> tuple[float, str]:
    rates = [cell.success.true.rate for (name, _), cell in cells.items() if name == risk and cell.success.trials]
    return -max(rates, default=-1.0), risk


def _verdict(view: View) -> str:
    """The colour of the headline: what cannot be said is never green."""
    graded = view.graded
    if graded.inconclusive:
        return "hold"
    grades = (graded.grade.grade, graded.over_refusal_grade.grade)
    if any(grade in {"D", "E"} for grade in grades):
        return "block"
    return "admit" if all(grade in {"A", "B"} for grade in grades) else "hold"


def _ids(pack: RulePack, risk: str) -> str:
    return " · ".join(dict.fromkeys(name for found in risk_ids(pack, risk).values() for name in found))


def _shared(name: str) -> str:
    return files("hauberk.report").joinpath(name).read_text("utf-8")


def _own(name: str) -> str:
    return files("hauberk.probe.report").joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


@cache
def _template() -> "Template":
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(printable=printable, shortened=shortened, flowing=flowing, percent=show.percent, rate=show.rate)
    names: dict[str, Any] = {
        "W": WORDS,
        "FAMILIES": FAMILIES,
        "OUTCOMES": OUTCOMES,
        "STANDINGS": STANDINGS,
        "DIRECTIONS": DIRECTIONS,
        "MEASURES": MEASURES,
        "BANKS": BANKS,
        "bucket": show.bucket,
        "grade": show.grade,
        "relative": show.relative,
        "sensitivity": sensitivity,
        "specificity": specificity,
        "shown": _shown,
        "unfolded": unfolded,
    }
    return environment.from_string(_own("probe.html.jinja"), globals=names)


def _shown(text: str) -> str:
    """What was said, its lines kept, everything else that does not print escaped."""
    return "\n".join(printable(line) for line in text.splitlines())
