"""Figures as people read them."""

from hauberk.probe.grades.interval import Interval
from hauberk.probe.grades.scale import Grade
from hauberk.probe.report.words import WORDS


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


def bucket(value: float) -> int:
    """Shade of the heat map, 0 to 4, by the cuts of the grades."""
    return sum(value > cut for cut in (0.01, 0.05, 0.15, 0.40))
