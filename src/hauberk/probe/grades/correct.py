"""Rates corrected for the judges' own errors.

A judge that misses one success in five and calls one failure in twenty a success reports a rate that is wrong in a known way.
Its sensitivity and specificity, counted on data that people labelled, undo that: the Rogan-Gladen estimator (W. J. Rogan,
B. Gladen, American Journal of Epidemiology 107, 1978). The interval comes from a parametric bootstrap over all three counts, so
that a judge measured on few rows widens it.
"""

from collections.abc import Callable, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from hauberk.probe.grades.interval import LEVEL, UNKNOWN, Interval, exact
from hauberk.probe.judges.judge import Accuracy

DRAWS = 10_000
FEW = 2_000
"""Draws where many intervals are tried to find a number of cases."""
USELESS = 0.1
"""Youden's index (sensitivity + specificity - 1) below which a judge says too little to correct by."""

Draws = NDArray[np.float64]


class Counts(msgspec.Struct, frozen=True):
    """What one judge counted: goals reached, of trials."""

    hits: int
    trials: int


Share = Mapping[str, tuple[float, float]]
"""Judge -> goals reached and not reached, as weights."""


class Corrected(msgspec.Struct, frozen=True):
    """A rate as it was seen and as it is once the judges' errors are taken out.

    `by` names the measured judges; `unmeasured` is the share of trials whose judge has no figures (exact checks among them).
    """

    seen: Interval
    true: Interval
    trials: int
    by: tuple[str, ...] = ()
    unmeasured: float = 0.0


def corrected(counts: Mapping[str, Counts], accuracy: Mapping[str, Accuracy], seed: int = 0) -> Corrected:
    """The rate over the trials of several judges (name -> counts), each corrected by its own accuracy if there is any."""
    trials = sum(each.trials for each in counts.values())
    hits = sum(each.hits for each in counts.values())
    if not trials:
        return Corrected(UNKNOWN, UNKNOWN, 0)
    seen = exact(hits, trials)
    measured = {name: accuracy[name] for name in counts if name in accuracy and youden(accuracy[name]) > USELESS}
    if not measured:
        return Corrected(seen, seen, trials, (), 1.0)
    choose = np.random.default_rng(seed)
    point = point_rate(counts, measured)
    draws = _draws(_shares(counts), measured, choose)
    low, high = _honest(interval_of(draws), draws, seen)
    bare = sum(each.trials for name, each in counts.items() if name not in measured)
    true = Interval(point, min(low, point), max(high, point))
    return Corrected(seen, true, trials, tuple(sorted(measured)), bare / trials)


def youden(accuracy: Accuracy) -> float:
    """Sensitivity + specificity - 1."""
    return sensitivity(accuracy) + specificity(accuracy) - 1


def sensitivity(accuracy: Accuracy) -> float:
    """Share of reached goals that the judge saw; 0 when none was looked at."""
    rows = accuracy.true_positive + accuracy.false_negative
    return accuracy.true_positive / rows if rows else 0.0


def specificity(accuracy: Accuracy) -> float:
    """Share of goals not reached that the judge left alone; 0 when none was looked at."""
    rows = accuracy.true_negative + accuracy.false_positive
    return accuracy.true_negative / rows if rows else 0.0


def turned(accuracy: Mapping[str, Accuracy]) -> dict[str, Accuracy]:
    """The judges' figures for the other side, by the same names: what did not reach its goal counts as the hit."""
    return {
        name: msgspec.structs.replace(
            each,
            true_positive=each.true_negative,
            false_negative=each.false_positive,
            true_negative=each.true_positive,
            false_positive=each.false_negative,
        )
        for name, each in accuracy.items()
    }


def interval_of(draws: Draws, level: float = LEVEL) -> tuple[float, float]:
    """The middle `level` of bootstrap draws."""
    tail = (1 - level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)


def rate_draws(
    counts: Mapping[str, Counts], accuracy: Mapping[str, Accuracy], seed: int, times: float = 1.0, draws: int = DRAWS
) -> Draws:
    """Bootstrap draws of the corrected rate, for rates that are averaged with others, as if there were `times` the cases."""
    usable = {name: each for name, each in accuracy.items() if youden(each) > USELESS}
    return _draws(_shares(counts, times), usable, np.random.default_rng(seed), draws)


def foreseen(counts: Mapping[str, Counts], accuracy: Mapping[str, Accuracy]) -> Callable[[int], Interval]:
    """The interval at so many cases in all, if every judge goes on seeing what it has seen.

    The judges' own figures stay as they are, so that what they leave unsure does not shrink with the number of cases.
    """
    trials, hits = sum(each.trials for each in counts.values()), sum(each.hits for each in counts.values())
    seen = hits / trials if trials else 0.0
    if not any(name in accuracy and youden(accuracy[name]) > USELESS for name in counts):
        return lambda cases: exact(seen * cases, cases)
    point = point_rate(counts, accuracy) if trials else 0.0

    def at(cases: int) -> Interval:
        draws = rate_draws(counts, accuracy, 0, cases / trials, FEW)
        low, high = _honest(interval_of(draws), draws, exact(seen * cases, cases))
        return Interval(point, min(low, point), max(high, point))

    return at


def point_rate(counts: Mapping[str, Counts], accuracy: Mapping[str, Accuracy]) -> float:
    """The corrected rate without its interval; there is at least one trial."""
    trials = sum(each.trials for each in counts.values())
    usable = {name: each for name, each in accuracy.items() if youden(each) > USELESS}
    return sum(_point(each, usable.get(name)) * each.trials for name, each in counts.items()) / trials


def _honest(found: tuple[float, float], draws: Draws, seen: Interval) -> tuple[float, float]:
    """The bootstrap's interval, unless most draws end at 0 or 1.

    Then fewer (or more) successes were seen than the judge's errors alone would give: its figures do not carry over to this
    run, and the interval of what was seen has to speak beside it.
    """
    low, high = found
    if np.mean(draws <= 0) > 0.5:
        high = max(high, seen.high)
    if np.mean(draws >= 1) > 0.5:
        low = min(low, seen.low)
    return low, high


def _point(counts: Counts, accuracy: Accuracy | None) -> float:
    seen = counts.hits / counts.trials if counts.trials else 0.0
    if accuracy is None:
        return seen
    return float(np.clip((seen + specificity(accuracy) - 1) / youden(accuracy), 0, 1))


def _shares(counts: Mapping[str, Counts], times: float = 1.0) -> Share:
    return {name: (each.hits * times, (each.trials - each.hits) * times) for name, each in counts.items()}


def _draws(shares: Share, accuracy: Mapping[str, Accuracy], choose: np.random.Generator, draws: int = DRAWS) -> Draws:
    """Draws of the rate over all judges.

    Which judge a case falls to is chance too, and may depend on how it ends (a guard's block is nobody's to judge), so all counts
    are drawn together, from one Dirichlet posterior with a prior of one case in all: for a single judge that is Jeffreys' interval.
    """
    names = sorted(shares)
    each = np.array([shares[name] for name in names], dtype=float)
    drawn = choose.dirichlet((each + 1 / each.size).ravel(), draws).reshape(draws, len(names), 2)
    total = np.zeros(draws)
    for number, name in enumerate(names):
        share = drawn[:, number].sum(1)
        seen = np.divide(drawn[:, number, 0], share, out=np.zeros(draws), where=share > 0)
        total += share * _without_errors(seen, accuracy.get(name), choose)
    return total


def _without_errors(seen: Draws, accuracy: Accuracy | None, choose: np.random.Generator) -> Draws:
    """Rates with the judge's errors taken out; sensitivity and specificity each from its Jeffreys posterior."""
    if accuracy is None:
        return seen
    found = choose.beta(accuracy.true_positive + 0.5, accuracy.false_negative + 0.5, len(seen))
    spared = choose.beta(accuracy.true_negative + 0.5, accuracy.false_positive + 0.5, len(seen))
    return np.clip((seen + spared - 1) / np.maximum(found + spared - 1, USELESS), 0, 1)
