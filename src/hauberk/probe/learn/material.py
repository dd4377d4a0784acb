"""What a model is fitted on: the windows of samples, whose seeds' words are changed for ordinary ones, and of ordinary texts."""

import hashlib
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from hauberk.assets.chat import MessageContent
from hauberk.detect.learnt.fit import Mask
from hauberk.detect.learnt.grams import I32, Rows, windows
from hauberk.detect.normalise import views
from hauberk.probe.learn.masked import LEAST, MOST_TEXT, pieces
from hauberk.probe.learn.phrases import is_chinese
from hauberk.probe.learn.sample import Ordinary, Sample

FOLDS = 5
COPIES = 2
"""Each sample is learnt from with so many different requests in its middle."""
_FILLING = 8
"""One group of ordinary texts in so many lends its words for that, and is never held out."""


class Material(msgspec.Struct, frozen=True):
    """Windows of one voice.

    Attributes:
        rows: All windows.
        owner: The text that each is of: samples first, then ordinary texts.
        attack: Whether a window is an attack's.
        fold: The fold that its text is held out in; -1 for none.
        samples, ordinary: Number of texts of each.
        held: Which ordinary texts are held out once.
    """

    rows: Rows
    owner: npt.NDArray[np.int64]
    attack: Mask
    fold: npt.NDArray[np.int64]
    samples: int
    ordinary: int
    held: Mask


def material(samples: Sequence[Sample], ordinary: Sequence[Ordinary], messages: Sequence[MessageContent]) -> Material:
    """The windows of every reading of samples and ordinary texts of one voice; `messages` are the ordinary texts'."""
    lent = [one.text for one in ordinary if _lends(one)]
    found: list[I32] = []
    owner: list[int] = []
    fold: list[int] = []
    for number, sample in enumerate(samples):
        made = list(_of_sample(sample, lent))
        found += made
        owner += [number] * len(made)
        fold += [fold_of(sample.seed)] * len(made)
    attacks = len(found)
    for number, (one, message) in enumerate(zip(ordinary, messages, strict=True), len(samples)):
        made = [numbers for view in views(message).views for _, _, numbers in windows(view.text)]
        found += made
        owner += [number] * len(made)
        fold += [fold_of(one.group) if one.held and not _lends(one) else -1] * len(made)
    held = np.array([one.held and not _lends(one) for one in ordinary], np.bool_)
    attack = np.arange(len(found)) < attacks
    return Material(Rows(found), np.array(owner, np.int64), attack, np.array(fold, np.int64), len(samples), len(ordinary), held)


def _of_sample(sample: Sample, lent: Sequence[str]) -> Iterator[I32]:
    """Windows of a sample that are mostly the attack's own words."""
    readings = views(MessageContent(sample.text[:MOST_TEXT], sample.role)).views
    for reading in readings:
        parts = pieces(reading.text, sample.request)
        if sum(letter.isalnum() for part in parts for letter in part) < LEAST:
            continue
        for copy in range(COPIES if len(parts) > 1 else 1):
            text, foreign = _filled(parts, _filling(sample, lent, copy))
            for start, end, numbers in windows(text):
                if 2 * int(foreign[start:end].sum()) < end - start:
                    yield numbers


def _filled(parts: Sequence[str], filling: str) -> tuple[str, Mask]:
    """The parts with `filling` between them, and which characters are its."""
    text = filling.join(parts)
    foreign = np.zeros(len(text), np.bool_)
    at = 0
    for part in parts[:-1]:
        at += len(part)
        foreign[at : at + len(filling)] = True
        at += len(filling)
    return text, foreign


def _filling(sample: Sample, lent: Sequence[str], copy: int) -> str:
    """An ordinary request, in the script of the sample's own."""
    chinese = is_chinese(sample.request)
    fitting = [text for text in lent if is_chinese(text) == chinese and 8 <= len(text) <= 400]
    if not fitting:
        return " "
    return fitting[_number(f"{sample.id}:{copy}") % len(fitting)]


def _lends(one: Ordinary) -> bool:
    return one.source == "shipped" and one.voice == "user" and _number(one.group) % _FILLING == 0


def fold_of(group: str) -> int:
    """The fold that a seed's samples, or a family of ordinary texts, are held out in."""
    return _number(f"fold:{group}") % FOLDS


def _number(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "backslashreplace"), digest_size=8).digest())
