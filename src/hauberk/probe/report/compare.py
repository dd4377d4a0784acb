"""What changed between two runs of the same suite."""

from collections.abc import Iterable
from enum import StrEnum
from typing import cast

import msgspec
from scipy.stats import fisher_exact  # pyright: ignore[reportUnknownVariableType] - scipy has no types

from hauberk.probe.grades.correct import Corrected
from hauberk.probe.grades.graded import Graded, Rated

ALPHA = 0.05
"""Chance of calling a difference that is none, for one comparison."""


class Direction(StrEnum):
    """How a rate moved, as far as the numbers of cases can tell."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "same"  # no difference that these numbers of cases can show
    NEW = "new"
    GONE = "gone"


class Change(msgspec.Struct, frozen=True):
    """One rate before and after. `chance` is Fisher's exact two-sided p value of the counts as seen."""

    what: str  # `risk`, `family`, `attack`, `over-refusal`
    name: str
    before: Corrected | None
    after: Corrected | None
    direction: Direction
    chance: float = 1.0


def compare(before: Graded, after: Graded) -> tuple[Change, ...]:
    """Every rate of both runs, regressions first.

    Many rates are compared at once, so a few of them differ by chance: read `chance` with their number in mind.
    """
    changes = [
        *_rates("risk", before.risks, after.risks),
        *_rates("family", before.families, after.families),
        *_rates("attack", before.attacks, after.attacks),
        _change("over-refusal", "", before.over_refusal, after.over_refusal),
    ]
    order = (Direction.WORSE, Direction.NEW, Direction.GONE, Direction.BETTER, Direction.SAME)
    return tuple(sorted(changes, key=lambda change: (order.index(change.direction), change.what, change.name)))


def _rates(what: str, before: Iterable[Rated], after: Iterable[Rated]) -> list[Change]:
    old = {rated.name: rated.success for rated in before}
    new = {rated.name: rated.success for rated in after}
    return [_change(what, name, old.get(name), new.get(name)) for name in sorted({*old, *new})]


def _change(what: str, name: str, before: Corrected | None, after: Corrected | None) -> Change:
    if before is None or not before.trials:
        return Change(what, name, before, after, Direction.NEW if after and after.trials else Direction.SAME)
    if after is None or not after.trials:
        return Change(what, name, before, after, Direction.GONE)
    _, chance = cast("tuple[float, float]", fisher_exact([_counts(before), _counts(after)]))
    moved = Direction.SAME
    if chance < ALPHA:
        moved = Direction.WORSE if after.seen.rate > before.seen.rate else Direction.BETTER
    return Change(what, name, before, after, moved, float(chance))


def _counts(rate: Corrected) -> tuple[int, int]:
    hits = round(rate.seen.rate * rate.trials)
    return hits, rate.trials - hits
