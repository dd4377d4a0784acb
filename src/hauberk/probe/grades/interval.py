"""Exact intervals of a rate, and the sample size that would settle a question about it."""

from collections.abc import Callable

import msgspec
from scipy.special import betaincinv

LEVEL = 0.95
MOST = 1_000_000
"""Cases beyond which no number is named."""


class Interval(msgspec.Struct, frozen=True):
    """A rate with its two-sided interval, each 0 to 1."""

    rate: float
    low: float
    high: float

    def inside(self, above: float, upto: float) -> bool:
        """Whether the whole interval lies in (above, upto]; from 0 when `above` is 0."""
        return (self.low > above or above <= 0) and self.high <= upto


UNKNOWN = Interval(0.0, 0.0, 1.0)
"""Of no trials at all."""


def exact(hits: float, trials: int, level: float = LEVEL) -> Interval:
    """Clopper-Pearson interval of `hits` in `trials`. `hits` may be a fraction when a rate was corrected.

    Source: C. J. Clopper, E. S. Pearson, Biometrika 26 (1934).
    """
    if trials <= 0:
        return UNKNOWN
    tail = (1 - level) / 2
    low = 0.0 if hits <= 0 else float(betaincinv(hits, trials - hits + 1, tail))
    high = 1.0 if hits >= trials else float(betaincinv(hits + 1, trials - hits, 1 - tail))
    return Interval(hits / trials, low, high)


def needed(rate: float, above: float, upto: float, level: float = LEVEL, at: Callable[[int], Interval] | None = None) -> int | None:
    """The number of cases from which a rate like this has its whole interval in (above, upto].

    `at` gives the interval of so many cases, Clopper-Pearson's unless given. None when the rate is outside, or when `MOST` cases
    would not do: it is too near a border, or the interval does not shrink to it.
    """
    if not (above < rate <= upto or (above <= 0 and rate <= upto)):
        return None

    def binomial(cases: int) -> Interval:
        return exact(rate * cases, cases, level)

    found = at or binomial
    low, high = 1, MOST
    if not found(high).inside(above, upto):
        return None
    while low < high:
        middle = (low + high) // 2
        if found(middle).inside(above, upto):
            high = middle
        else:
            low = middle + 1
    return low
