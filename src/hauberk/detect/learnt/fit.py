"""Sparse logistic regression with numpy alone: deterministic, and seconds for a few thousand texts.

Minimised by Nesterov's accelerated gradient (1983) with the step that the rows' norms guarantee, so that nothing is left to chance.
"""

from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from hauberk.detect.learnt.grams import F64, I32, Rows

Mask: TypeAlias = npt.NDArray[np.bool_]
MOST_FEATURES = 1 << 15
COMMON = 0.25
"""Share of ordinary windows above which an n-gram says nothing."""


class Fitted(msgspec.Struct, frozen=True):
    """Weights by bucket, ascending, and the offset."""

    index: I32
    weights: F64
    bias: float

    def margins(self, rows: Rows) -> F64:
        """The logit of each row."""
        place = np.searchsorted(self.index, rows.columns)
        place[place == len(self.index)] = 0
        hit = self.index[place] == rows.columns
        parts = np.where(hit, self.weights[place], 0.0) * rows.values
        return (np.bincount(rows.owners, parts, len(rows)) + self.bias).astype(np.float64)


def fit(rows: Rows, attack: Mask, kept: Mask, penalty: float = 3e-4, steps: int = 160) -> Fitted:
    """Weights that tell the windows of `attack` from the others, from the windows in `kept` alone; both sides weigh the same.

    Args:
        rows: All windows.
        attack: Which windows are an attack's.
        kept: Which windows are learnt from.
        penalty: Of the squared weights.
        steps: Of the minimisation.
    """
    index = _features(rows, attack, kept)
    owners = rows.owners
    place = np.searchsorted(index, rows.columns)
    place[place == len(index)] = 0
    used = kept[owners] & (index[place] == rows.columns)
    owners, place, values = owners[used], place[used], rows.values[used]
    share = np.where(attack, 0.5 / max(1, int((attack & kept).sum())), 0.5 / max(1, int((~attack & kept).sum()))) * kept
    target = attack.astype(np.float64)
    norms = np.bincount(owners, values**2, len(rows)) + 1.0
    step = 1.0 / (0.25 * float((share * norms).sum()) + penalty)
    weights, bias = np.zeros(len(index)), 0.0
    ahead, ahead_bias, pace = weights, bias, 1.0
    for _ in range(steps):
        margin = np.bincount(owners, ahead[place] * values, len(rows)) + ahead_bias
        error = share * (1.0 / (1.0 + np.exp(-np.clip(margin, -60, 60))) - target)
        gradient = np.bincount(place, error[owners] * values, len(index)) + penalty * ahead
        new, new_bias = ahead - step * gradient, ahead_bias - step * float(error.sum())
        faster = (1 + np.sqrt(1 + 4 * pace**2)) / 2
        ahead = new + (pace - 1) / faster * (new - weights)
        ahead_bias = new_bias + (pace - 1) / faster * (new_bias - bias)
        weights, bias, pace = new, new_bias, faster
    return Fitted(index, weights, bias)


def _features(rows: Rows, attack: Mask, kept: Mask) -> I32:
    """The n-grams that attacks share and ordinary texts do not all have."""
    ours, theirs = attack & kept, ~attack & kept
    many, few = max(1, int(ours.sum())), max(1, int(theirs.sum()))
    inside, outside = rows.spread(ours), rows.spread(theirs)
    good = (inside >= min(2, many)) & (outside <= COMMON * few)
    lift = np.where(good, inside / many - outside / few, -1.0)
    found = np.flatnonzero(good)
    if len(found) > MOST_FEATURES:
        found = np.sort(found[np.argsort(-lift[found], kind="stable")[:MOST_FEATURES]])
    return found.astype(np.int32) if len(found) else np.zeros(1, np.int32)
