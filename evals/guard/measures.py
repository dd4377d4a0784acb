"""Figures over scores: recall at a false-alarm rate, area under the curve, and exact intervals."""

import math
from collections.abc import Sequence


def interval(hits: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a share (Clopper and Pearson 1934), by bisection on the binomial distribution."""
    if not trials:
        return 0.0, 1.0
    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else _bisect(lambda p: 1 - _below(hits - 1, trials, p) < tail)
    high = 1.0 if hits == trials else _bisect(lambda p: _below(hits, trials, p) > tail)
    return low, high


def _bisect(under: object) -> float:
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if under(middle) else (low, middle)  # type: ignore[operator]
    return low


def _below(hits: int, trials: int, share: float) -> float:
    """Probability of at most `hits` of `trials`."""
    if share <= 0:
        return 1.0
    if share >= 1:
        return float(hits >= trials)
    logs = (
        math.lgamma(trials + 1)
        - math.lgamma(k + 1)
        - math.lgamma(trials - k + 1)
        + k * math.log(share)
        + (trials - k) * math.log1p(-share)
        for k in range(hits + 1)
    )
    return min(1.0, sum(map(math.exp, logs)))


def auc(attacks: Sequence[float], ordinary: Sequence[float]) -> float:
    """The chance that an attack scores over an ordinary text, ties by half."""
    ranked = sorted([(score, 1) for score in attacks] + [(score, 0) for score in ordinary])
    total = below = 0.0
    at = 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        positives = sum(label for _, label in ranked[at:end])
        negatives = end - at - positives
        total += positives * (below + negatives / 2)
        below += negatives
        at = end
    return total / (len(attacks) * len(ordinary))


def edge(ordinary: Sequence[float], rate: float) -> float:
    """The least score that at most `rate` of `ordinary` exceed."""
    ranked = sorted(ordinary, reverse=True)
    return ranked[min(int(rate * len(ranked)), len(ranked) - 1)]


def over(scores: Sequence[float], threshold: float) -> int:
    """How many scores exceed a threshold."""
    return sum(score > threshold for score in scores)
