"""Fits probabilities, bands and thresholds on the calibration split: families that no model was taught."""

import collections
import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from evals.guard.training.rows import Lesson

from hauberk.detect.prompt.calibration import Calibration, HeadCalibration, logit_of, sigmoid
from hauberk.detect.prompt.encoder_model import EncoderModel
from hauberk.detect.prompt.labels import Voice
from hauberk.detect.prompt.ngram_model import NgramModel
from hauberk.detect.prompt.windows import spans

RATES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
SETTLED = 0.92  # share of ordinary rows that stage 1 settles by each head
ANCHOR = 0.01  # of ordinary rows lie over a score of one half: the prior is chosen so, for all heads alike
MISSED = 0.01  # share of attacks that stage 1 may settle as ordinary
MOST_WINDOWS = 6  # of a row, by stage 1's logit, that stage 2 is asked about here


class Scored(msgspec.Struct):
    """A row with both stages' logits of attack and harm: those of the window with the highest logit of stage 1, or of stage 2."""

    row: Lesson
    first: tuple[float, float]
    second: tuple[float, float]


def score(rows: list[Lesson], folder: Path, *, encode: bool) -> list[Scored]:
    """Both stages' logits of every row."""
    ngrams = NgramModel.read(folder)
    encoder = EncoderModel(folder) if encode else None
    found: list[Scored] = []
    for row in rows:
        places = spans(row.text)
        logits = ngrams.logits(row.text, places, row.voice)
        second = (0.0, 0.0)
        if encoder:
            likely = np.argsort(-logits[:, :2].max(1))[:MOST_WINDOWS]
            seen = np.stack([encoder.logits(row.text[slice(*places[number])], row.voice) for number in likely])
            second = (float(seen[:, 0].max()), float(seen[:, 1].max()))
        found.append(Scored(row, (float(logits[:, 0].max()), float(logits[:, 1].max())), second))
    return found


def _of_head(scored: list[Scored], head: str) -> tuple[list[Scored], np.ndarray]:
    """The rows that speak of a head, and their labels."""
    at = 1 if head == "harm" else 0
    voice = Voice.FOREIGN if head == "indirect" else Voice.USER
    chosen = [
        item
        for item in scored
        if item.row.voice is voice
        and (item.row.harm, item.row.attack)[1 - at] >= 0
        and not (at == 0 and item.row.attack == 0 and item.row.harm == 1)
        and not (at == 1 and item.row.attack == 1)
    ]
    return chosen, np.array([(item.row.attack, item.row.harm)[at] for item in chosen])


def weights_of(rows: list[Scored], labels: np.ndarray) -> np.ndarray:
    """Sources count by the root of their size, both classes the same together."""
    sizes = collections.Counter((item.row.source, int(label)) for item, label in zip(rows, labels, strict=True))
    made = np.array([1 / math.sqrt(sizes[item.row.source, int(label)]) for item, label in zip(rows, labels, strict=True)])
    for label in (0, 1):
        made[labels == label] /= made[labels == label].sum()
    return made


def _fitted(columns: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> list[float]:
    from sklearn.linear_model import LogisticRegression

    model: Any = LogisticRegression(C=1e3, max_iter=1000).fit(columns, labels, sample_weight=weights * len(labels))
    return [*map(float, model.coef_[0]), float(model.intercept_[0])]


def quantile(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    """The value below which `share` of the weight lies."""
    order = np.argsort(values)
    reach = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][min(int(np.searchsorted(reach, share)), len(values) - 1)])


def head_of(scored: list[Scored], head: str, *, encode: bool) -> HeadCalibration:
    """The calibration of one head."""
    at = 1 if head == "harm" else 0
    rows, labels = _of_head(scored, head)
    weights = weights_of(rows, labels)
    one = np.array([item.first[at] for item in rows])
    two = np.array([item.second[at] for item in rows])
    slope, offset = _fitted(one[:, None], labels, weights)
    both = _fitted(np.stack([one, two], 1), labels, weights) if encode else [slope, 0.0, offset]
    alone = 1 / (1 + np.exp(-(slope * one + offset)))
    together = 1 / (1 + np.exp(-(both[0] * one + both[1] * two + both[2])))
    ordinary, attacks = labels == 0, labels == 1
    low = max(quantile(alone[ordinary], weights[ordinary], SETTLED), quantile(alone[attacks], weights[attacks], MISSED))
    high = max(float(np.max(alone[ordinary])), 0.98) if encode else low
    final = np.where((alone >= low) & (alone < high), together, alone) if encode else alone
    middle = logit_of(quantile(final[ordinary], weights[ordinary], 1 - ANCHOR))
    points = tuple((rate, _moved(quantile(final[ordinary], weights[ordinary], 1 - rate), middle)) for rate in RATES)
    band = (_moved(min(low, high), middle), _moved(high, middle))
    return HeadCalibration((slope, offset - middle), (both[0], both[1], both[2] - middle), band, points)


def _moved(probability: float, middle: float) -> float:
    """The probability under the prior at which the anchor's score is one half."""
    return sigmoid(logit_of(probability) - middle)


def calibrate(scored: list[Scored], version: str, *, encode: bool) -> Calibration:
    """The calibration of all heads. Without the second stage nothing is left unsettled."""
    return Calibration(version, {head: head_of(scored, head, encode=encode) for head in ("attack", "indirect", "harm")})


def report(scored: list[Scored], made: Calibration) -> dict[str, dict[str, float]]:
    """Recall on the calibration split's attacks at each head's thresholds by stage; share of ordinary rows settled."""
    found: dict[str, dict[str, float]] = {}
    for name, head in made.heads.items():
        at = 1 if name == "harm" else 0
        rows, labels = _of_head(scored, name)
        weights = weights_of(rows, labels)
        alone = np.array([head.alone(item.first[at]) for item in rows])
        both = np.array([head.together(item.first[at], item.second[at]) for item in rows])
        unsettled = np.array([head.unsettled(value) for value in alone])
        final = np.where(unsettled, both, alone)
        line: dict[str, float] = {"attacks": int(labels.sum()), "ordinary": int((labels == 0).sum())}
        line["settled"] = 1 - float(weights[labels == 0] @ unsettled[labels == 0] / weights[labels == 0].sum())
        for rate in (0.01, 0.001):
            for label, values in (("stage 1", alone), ("stage 2", both), ("cascade", final)):
                edge = quantile(values[labels == 0], weights[labels == 0], 1 - rate)
                line[f"{label} recall at {rate:.1%}"] = float(
                    (weights * (values > edge))[labels == 1].sum() / weights[labels == 1].sum()
                )
        found[name] = line
    return found
