"""Fits probabilities, bands and thresholds on the calibration split: families that no model was taught."""

import collections
import hashlib
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
SETTLED = {"attack": 0.85, "indirect": 0.6, "harm": 0.9}
"""Share of ordinary rows that stage 1 settles by each head; it is weak on foreign text."""
ANCHOR = {"attack": 0.01, "indirect": 0.03, "harm": 0.85}
"""This share of ordinary rows lies over one half: the prior is chosen so. Foreign text may be delimited on slighter grounds."""
ASKED = 2.0
"""Over every probability: however sure stage 1 is of an attack, stage 2 is asked, as its false alarms are others."""
HARD = 0.15
"""Share, among ordinary texts, of those written to look like attacks or filled with noise: a rate is promised for ordinary
traffic, in which they are rare."""
RARE = ("own:", "framed-", "noise")
"""How the sources of those are named."""
MOST_WINDOWS = 3  # of a row, by stage 1's logit, that stage 2 is asked about here
MOST_ROWS = {0: 500, 1: 120}
"""Rows of one source that are read, by label; the first by hash."""


def chosen(rows: list[Lesson]) -> list[Lesson]:
    """The rows that calibrate: none in a model's mouth, at most `MOST_ROWS` of a source."""
    seen: collections.Counter[tuple[str, int]] = collections.Counter()
    found: list[Lesson] = []
    for row in sorted(rows, key=lambda row: hashlib.blake2b(row.text.encode()).digest()):
        label = int(1 in {row.attack, row.harm})
        seen[row.source, label] += 1
        if row.voice is not Voice.MODEL and seen[row.source, label] <= MOST_ROWS[label]:
            found.append(row)
    return found


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
    for row in chosen(rows):
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
    """A family counts once, sources by the 0.75th power of their number of families, both classes the same together."""
    keys = [(item.row.source, int(label)) for item, label in zip(rows, labels, strict=True)]
    families = collections.Counter((key, item.row.group) for key, item in zip(keys, rows, strict=True))
    sizes = collections.Counter(key for key, _ in families)
    made = np.array([sizes[key] ** -0.25 / families[key, item.row.group] for key, item in zip(keys, rows, strict=True)])
    hard = np.array([item.row.source.startswith(RARE) for item in rows]) & (labels == 0)
    if hard.any() and not hard[labels == 0].all():
        made[hard] *= HARD / (1 - HARD) * made[(labels == 0) & ~hard].sum() / made[hard].sum()
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
    ordinary = labels == 0
    low = quantile(alone[ordinary], weights[ordinary], SETTLED[head])
    high = ASKED if encode else low
    final = np.where((alone >= low) & (alone < high), together, alone) if encode else alone
    middle = logit_of(quantile(final[ordinary], weights[ordinary], 1 - ANCHOR[head]))
    points = tuple((rate, _moved(quantile(final[ordinary], weights[ordinary], 1 - rate), middle)) for rate in RATES)
    band = (_moved(low, middle), ASKED if encode else _moved(low, middle))
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
