"""From what was approved to a detector: thresholds by a stated false-alarm rate, on ordinary texts that were not learnt from."""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from hauberk import __version__
from hauberk.assets.chat import MessageContent, message_asset
from hauberk.core import Finding, Rule
from hauberk.detect.engines import phrase
from hauberk.detect.learnt.fit import Fitted, fit
from hauberk.detect.learnt.grams import F64
from hauberk.detect.learnt.model import Head, Learnt
from hauberk.probe.learn.errors import LearnError, Refused
from hauberk.probe.learn.material import FOLDS, fold_of, material
from hauberk.probe.learn.sample import Ordinary, Sample

RATE = 0.002
LEAST_SCORE = 0.2
"""Below this nothing is held, however rarely ordinary texts come near it."""
LEAST_CAUGHT = 0.5
"""Share of the approved samples that a model must catch, with their seeds held out, to be worth its false alarms."""
_RATES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05)


class VoiceFigures(msgspec.Struct, frozen=True):
    """What is known of one voice's detector.

    Attributes:
        samples: Approved samples.
        caught: Of those, by the detector that was learnt from them.
        repeated: Samples whose attack was also learnt with other seeds when their own was held out.
        unseen: Of those, caught then.
        ordinary: Ordinary texts that were held out.
        alarms: Of those, at or over the threshold, or hit by an approved rule.
        sources: The same (texts, alarms) by where the texts are from.
        threshold: Score at the stated rate.
    """

    samples: int
    caught: int
    repeated: int
    unseen: int
    ordinary: int
    alarms: int
    sources: dict[str, tuple[int, int]]
    threshold: float


class Learning(msgspec.Struct, frozen=True):
    """A model, with the figures it rests on by voice."""

    model: Learnt
    figures: dict[str, VoiceFigures]


def learn(samples: Sequence[Sample], rules: Sequence[Rule], ordinary: Sequence[Ordinary], rate: float | None = None) -> Learning:
    """A model of approved samples and rules.

    Args:
        samples: Approved ones.
        rules: Approved ones.
        ordinary: Texts that must pass.
        rate: Share of ordinary messages of a voice that may be held by mistake; `RATE` if not given.

    Raises:
        LearnError: when nothing was approved, or too few ordinary texts are there to show such a rate.
        Refused: when more ordinary texts are held than that, or when the threshold that keeps to it misses the samples.
    """
    rate = RATE if rate is None else rate
    if not samples and not rules:
        raise LearnError("nothing is approved, and nothing is learnt without approval")
    heads: dict[str, Head] = {}
    figures: dict[str, VoiceFigures] = {}
    for voice in ("user", "foreign"):
        spoken = [one for one in samples if one.voice == voice]
        usual = [one for one in ordinary if one.voice == voice]
        messages = [MessageContent(one.text, one.role) for one in usual]
        hits = _rule_hits(rules, messages)
        if spoken:
            heads[voice], figures[voice] = _Voice(voice, spoken, usual, messages, rate).learnt(hits)
        elif any(hits.values()):
            _hold(
                f"the approved rule {min(hits, key=lambda name: -len(hits[name]))}", max(map(len, hits.values())), len(usual), rate
            )
    return Learning(Learnt(rate, heads, tuple(rules), len(samples), __version__), figures)


class _Voice:
    """The learning of one voice."""

    def __init__(
        self, name: str, samples: Sequence[Sample], ordinary: Sequence[Ordinary], messages: Sequence[MessageContent], rate: float
    ) -> None:
        self._name, self._rate, self._ordinary = name, rate, ordinary
        folds: dict[str, set[int]] = {}
        for one in samples:
            folds.setdefault(one.attack, set()).add(fold_of(one.seed))
        self._repeated = np.array([len(folds[one.attack]) > 1 for one in samples], np.bool_)
        self._made = material(samples, ordinary, messages)
        if not self._made.attack.any():
            raise LearnError(f"the approved samples ({name}) hold nothing but their seeds' own words; there is no attack to learn")
        if _allowed(int(self._made.held.sum()), rate) < 0:
            least = math.ceil(1 / rate) - 1
            raise LearnError(
                f"{int(self._made.held.sum())} ordinary texts ({name}) cannot show a false-alarm rate of {rate:g}; "
                f"give --ordinary so that there are {least}, or a higher --rate"
            )

    def learnt(self, hits: dict[str, set[int]]) -> tuple[Head, VoiceFigures]:
        """Head and figures. Raises Refused."""
        made = self._made
        held_out = self._held_out()
        whole = fit(made.rows, made.attack, np.ones(len(made.rows), np.bool_))
        scores = held_out[made.samples :]
        threshold = self._threshold(scores)
        caught = self._scores(whole, made.attack)[: made.samples] >= threshold
        figures = self._figures(scores, held_out[: made.samples], caught, threshold, hits)
        shown = figures.repeated >= FOLDS  # with few seeds nothing can be held out
        told, total = (figures.unseen, figures.repeated) if shown else (figures.caught, made.samples)
        if told < LEAST_CAUGHT * total:
            raise Refused(
                f"refused: at {self._rate:g} false alarms on {figures.ordinary} ordinary texts ({self._name}) the model would "
                f"catch {told} of {total} approved samples; they are too like ordinary texts, or too unlike each other"
            )
        table = tuple((rate, score) for rate, score in self._table(scores, threshold))
        return _head(whole, table, figures), figures

    def _held_out(self) -> F64:
        """The score of each text by a model that saw neither it nor its like."""
        made = self._made
        scores = np.zeros(made.samples + made.ordinary)
        for number in range(FOLDS):
            out = made.fold == number
            kept = ~out if (made.attack & ~out).any() else ~out | made.attack
            by_text = self._scores(fit(made.rows, made.attack, kept), out)
            texts = np.unique(made.owner[out])
            scores[texts] = by_text[texts]
        return scores

    def _scores(self, fitted: Fitted, of: npt.NDArray[np.bool_]) -> F64:
        """Of each text the score of its highest window among `of`; 0 of texts that have none there."""
        made = self._made
        best = np.full(made.samples + made.ordinary, -np.inf)
        np.maximum.at(best, made.owner[of], fitted.margins(made.rows)[of])
        return 1 / (1 + np.exp(-np.clip(best, -500, 500)))

    def _threshold(self, scores: F64) -> float:
        """The least score at which all held-out texts, and those of each source of the user's own, keep to the rate."""
        found = [_over(scores[self._made.held], _allowed(int(self._made.held.sum()), self._rate))]
        found += [_over(scores[mask], max(0, _allowed(int(mask.sum()), self._rate))) for mask in self._sources().values()]
        return max(found)

    def _sources(self) -> dict[str, npt.NDArray[np.bool_]]:
        names = np.array([one.source for one in self._ordinary])
        return {str(name): (names == name) & self._made.held for name in np.unique(names[self._made.held])}

    def _figures(
        self, scores: F64, unseen: F64, caught: npt.NDArray[np.bool_], threshold: float, hits: dict[str, set[int]]
    ) -> VoiceFigures:
        held = self._made.held
        hit = np.zeros(len(held), np.bool_)
        for name, places in hits.items():
            _hold(f"the approved rule {name}", len(places), len(held), self._rate)
            hit[list(places)] = True
        alarm = (scores >= threshold) | hit
        sources = {name: (int(mask.sum()), int((alarm & mask).sum())) for name, mask in self._sources().items()}
        for name, (texts, alarms) in sources.items():
            _hold(f"detector and rules together ({self._name}, {name})", alarms, texts, self._rate)
        total = int((alarm & held).sum())
        _hold(f"detector and rules together ({self._name})", total, int(held.sum()), self._rate)
        kept = int(((unseen >= threshold) & self._repeated).sum())
        repeated = int(self._repeated.sum())
        return VoiceFigures(len(caught), int(caught.sum()), repeated, kept, int(held.sum()), total, sources, threshold)

    def _table(self, scores: F64, threshold: float) -> list[tuple[float, float]]:
        """Scores by rate: measured where so many texts can show it, never below that of the stated rate for stricter ones."""
        held = scores[self._made.held]
        made: list[tuple[float, float]] = []
        for rate in sorted({*_RATES, self._rate}):
            allowed = _allowed(len(held), rate)
            if allowed >= 0:
                score = _over(held, allowed)
                made.append((rate, max(score, threshold) if rate <= self._rate else min(score, threshold)))
        return made


def _head(fitted: Fitted, table: tuple[tuple[float, float], ...], figures: VoiceFigures) -> Head:
    weights = fitted.weights.astype("<f4")
    kept = np.abs(weights) > 1e-6
    index, weights = fitted.index[kept].astype("<i4"), weights[kept]
    return Head(index.tobytes(), weights.tobytes(), float(fitted.bias), table, figures.ordinary, figures.alarms)


def _rule_hits(rules: Sequence[Rule], messages: Sequence[MessageContent]) -> dict[str, set[int]]:
    """For each rule that hits ordinary texts, which ones."""
    found: dict[str, set[int]] = {}
    if not rules:
        return found
    detect = phrase.compile_rules(rules)
    for number, message in enumerate(messages):
        for item in detect(message_asset(message)):
            if isinstance(item, Finding):
                found.setdefault(item.rule, set()).add(number)
    return found


def _hold(what: str, alarms: int, texts: int, rate: float) -> None:
    """Raises Refused when alarms are more than the rate allows."""
    if alarms > max(0, _allowed(texts, rate)):
        raise Refused(f"refused: {what}: {alarms} of {texts} ordinary texts would be held, more than the rate of {rate:g} allows")


def _allowed(texts: int, rate: float) -> int:
    """How many of `texts` held-out ones may be over a threshold for the next one to be so with probability `rate` at most.

    -1 when they are too few to say. Source: split conformal prediction (Vovk, Gammerman, Shafer, 2005).
    """
    return math.floor(rate * (texts + 1) + 1e-9) - 1


def _over(scores: F64, allowed: int) -> float:
    """The least threshold that no more than `allowed` of `scores` reach, and never less than `LEAST_SCORE`."""
    ordered = np.sort(scores)[::-1]
    top = float(ordered[allowed]) if allowed < len(ordered) else 0.0
    return min(1.0, max(LEAST_SCORE, float(np.nextafter(top, 2.0)) + 1e-6))
