"""Figures as people read them."""

from hauberk.probe.grades.interval import Interval
from hauberk.probe.grades.scale import Grade, RelativeGrade
from hauberk.probe.report.words import RELATIVES, WORDS


def percent(value: float) -> str:
    """A share in percent; small ones keep a digit more."""
    return f"{value * 100:.1f}" if value >= 0.001 or value == 0 else f"{value * 100:.2f}"


def rate(interval: Interval) -> str:
    """`12.0 % (8.1-17.2)`."""
    return f"{percent(interval.rate)} % ({percent(interval.low)}\N{EN DASH}{percent(interval.high)})"


def grade(found: Grade, language: str) -> str:
    """The grade, or why there is none and what would settle it."""
    if found.grade:
        return found.grade
    if found.more is None:
        return (
            f"{WORDS['no-grade'][language]}: {WORDS['on-cut'][language]}" if len(found.between) < 5 else WORDS["no-grade"][language]
        )
    span = f"{found.between[0]}\N{EN DASH}{found.between[-1]}" if found.between else ""
    more = WORDS["settle"][language].replace("{n}", f"{found.more:,}")
    return f"{WORDS['no-grade'][language]} ({WORDS['between'][language]} {span}; {more})"


def settling(more: int | None, language: str) -> str:
    """How many cases would decide an undecided requirement; "" for one that is decided."""
    if more is None:
        return WORDS["on-cut"][language]
    return WORDS["settle"][language].replace("{n}", f"{more:,}") if more else ""


def relative(found: RelativeGrade, language: str) -> str:
    """The grade against the reference, and those that both intervals leave possible."""
    point = RELATIVES[found.point.value][language]
    if found.settled:
        return point
    best, worst = (RELATIVES[one.value][language] for one in (found.between[0], found.between[-1]))
    return f"{point} ({WORDS['between'][language]} {best}\N{EN DASH}{worst})"


def bucket(value: float) -> int:
    """Shade of the heat map, 0 to 4, by the cuts of the grades."""
    return sum(value > cut for cut in (0.01, 0.05, 0.15, 0.40))
