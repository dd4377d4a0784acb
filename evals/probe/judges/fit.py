"""Fits the answer classifier: multinomial logistic regression over hashed n-grams, by L-BFGS, in numpy and scipy."""

import msgspec
import numpy as np
import scipy.sparse as sp
from evals.probe.judges.rows import LABELS, Row
from scipy.optimize import minimize

from hauberk.detect.answer.features import BITS, DENSE, Features, features

SEEN = 2  # rows that must hold a bucket
RIDGE = 0.25  # penalty on weights of n-grams, by the sum of row weights / 1000
RIDGE_DENSE = 0.1


class Table(msgspec.Struct):
    """Rows as matrices."""

    grams: sp.csr_matrix  # rows x buckets, before rarity
    dense: np.ndarray
    labels: np.ndarray
    weights: np.ndarray


class Fitted(msgspec.Struct):
    """Weights by output (full, refusal, partial)."""

    rarity: np.ndarray  # by bucket; 0 for those that too few rows hold
    weights: np.ndarray  # buckets x outputs
    dense: np.ndarray  # counts x outputs
    bias: np.ndarray


def table(rows: list[Row]) -> Table:
    made: list[Features] = [features(row.request, row.answer) for row in rows]
    ends = np.cumsum([0, *[len(one.numbers) for one in made]])
    grams = sp.csr_matrix(
        (np.concatenate([one.values for one in made]), np.concatenate([one.numbers for one in made]), ends),
        shape=(len(rows), 1 << BITS),
    )
    return Table(
        grams,
        np.stack([one.dense for one in made]),
        np.array([LABELS.index(row.label) for row in rows]),
        np.array([row.weight for row in rows]),
    )


def part(whole: Table, chosen: np.ndarray) -> Table:
    return Table(whole.grams[chosen], whole.dense[chosen], whole.labels[chosen], whole.weights[chosen])


def scaled(grams: sp.csr_matrix, rarity: np.ndarray) -> sp.csr_matrix:
    """Rows of unit length, weighted by rarity."""
    made = grams @ sp.diags(rarity)
    norms = np.sqrt(np.asarray(made.multiply(made).sum(1)).ravel())
    return (sp.diags(1 / np.maximum(norms, 1e-6)) @ made).tocsr()


def fit(data: Table, ridge: float = RIDGE, steps: int = 60) -> Fitted:
    holding = np.asarray((data.grams > 0).sum(0)).ravel()
    rarity = np.where(holding >= SEEN, np.log((1 + len(data.labels)) / (1 + holding)) + 1, 0).astype(np.float64)
    kept = np.flatnonzero(rarity)
    inputs = (
        sp.hstack([scaled(data.grams, rarity)[:, kept] * 10, data.dense, np.ones((len(data.labels), 1))]).tocsr().astype(np.float32)
    )
    outputs = len(LABELS)
    size = inputs.shape[1]
    penalty = np.full((size, 1), ridge)
    penalty[-1 - DENSE : -1] = RIDGE_DENSE
    penalty[-1] = 0
    target = np.eye(outputs)[data.labels]
    share = data.weights / data.weights.sum() * 1000
    back = inputs.T.tocsr()

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(size, outputs)
        logits = inputs @ weights
        logits -= logits.max(1, keepdims=True)
        logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        slope = back @ ((np.exp(logs) - target) * share[:, None]) + 2 * penalty * weights
        return float(-(share * (logs * target).sum(1)).sum() + (penalty * weights**2).sum()), slope.ravel()

    found = minimize(loss, np.zeros(size * outputs), jac=True, method="L-BFGS-B", options={"maxiter": steps, "maxcor": 8}).x
    found = found.reshape(size, outputs)
    weights = np.zeros((1 << BITS, outputs))
    weights[kept] = found[: len(kept)] * 10
    return Fitted(rarity, weights, found[len(kept) : -1], found[-1])


def probabilities(model: Fitted, data: Table) -> np.ndarray:
    logits = scaled(data.grams, model.rarity) @ model.weights + data.dense @ model.dense + model.bias
    logits -= logits.max(1, keepdims=True)
    made = np.exp(logits)
    return made / made.sum(1, keepdims=True)
