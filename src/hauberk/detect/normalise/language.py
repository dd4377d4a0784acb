"""Cheap tests of whether a piece of text is language."""

import re
from functools import cache
from typing import Any

import numpy as np

from hauberk.detect.normalise.tables import english_words, table, vocabulary

WINDOW = 20  # character pairs judged together
_WORD = re.compile("[a-z]+")
_FOLDED = bytes((c | 32) - 96 if chr(c).isalpha() and c < 128 else 0 for c in range(256))


@cache
def table_scores() -> Any:
    """How rare each pair of the 27 letters (a space first) is in English, 0 to 31, one row after another."""
    scores = np.array([ord(c) - 48 for c in table("english")["bigrams"]], dtype=np.int16)
    scores[0] = 6  # two spaces say nothing either way
    return scores


def _rarity(text: str) -> Any:
    """How rare each pair of characters is in English, 0 to 31; anything but a letter counts as a space."""
    data = text.encode("latin-1", "replace").translate(_FOLDED)
    codes = np.frombuffer(data, np.uint8).astype(np.int16)
    pairs = codes[:-1] * 27 + codes[1:]
    return table_scores()[pairs]


def rarity(text: str) -> float:
    """The mean rarity of the pairs of `text`: English lies near 6, letters by chance near 12."""
    return float(_rarity(text).mean()) if len(text) > 1 else 0.0


def strange_windows(text: str, limit: float) -> list[tuple[int, int]]:
    """Stretches of `text`, at least WINDOW pairs long, that are rarer than `limit`; overlapping ones are one."""
    if len(text) <= WINDOW:
        return [(0, len(text))] if len(text) > 8 and rarity(text) > limit else []
    sums = np.cumsum(_rarity(text), dtype=np.int64)
    means = sums[WINDOW - 1 :].copy()
    means[1:] -= sums[: len(text) - 1 - WINDOW]
    places = np.flatnonzero(means > limit * WINDOW)
    if not places.size:
        return []
    breaks = np.flatnonzero(np.diff(places) > WINDOW)
    firsts = places[np.concatenate(([0], breaks + 1))]
    lasts = places[np.concatenate((breaks, [places.size - 1]))]
    return [(int(a), int(b) + WINDOW + 1) for a, b in zip(firsts, lasts, strict=True)]


def known_share(text: str) -> float:
    """The share of letters of `text` that belong to common English words of two letters and more."""
    words = _WORD.findall(text.lower())
    total = sum(map(len, words))
    known = english_words()
    return sum(len(w) for w in words if len(w) > 1 and w in known) / total if total else 0.0


def is_english(text: str, share: float = 0.6) -> bool:
    """Whether `text` is mostly common English words, at least two of them or one of six letters."""
    words = _WORD.findall(text.lower())
    return (len(words) > 1 or (bool(words) and len(words[0]) > 5)) and known_share(text) >= share


def is_text(text: str) -> bool:
    """Whether `text` could be meant to be read: printable, and mostly letters of some script or spaces."""
    if len(text) < 4 or sum(not (c.isprintable() or c in "\n\r\t") for c in text) * 50 > len(text):
        return False
    letters = sum(c.isalpha() or c == " " for c in text)
    if letters * 10 < len(text) * 7:
        return False
    foreign = sum(c > "\u02ff" for c in text)
    if foreign * 4 > len(text):
        return sum("\u4e00" <= c <= "\u9fff" or "\u3000" <= c <= "\u30ff" or "\uff00" <= c <= "\uffef" for c in text) * 3 > foreign
    return text.isascii() and (known_share(text) >= 0.5 or rarity(text) < 8.5)


def is_hidden_text(text: str) -> bool:
    """Whether bytes that spell `text` do so on purpose: it reads as text, or is ASCII with letters throughout, as chance is not."""
    if is_text(text):
        return True
    return len(text) >= 12 and text.isascii() and text.isprintable() and sum(map(str.isalnum, text)) * 2 > len(text)


def is_decoded_text(text: str) -> bool:
    """Whether `text`, of bytes that were valid UTF-8, was meant to be read. Chance makes no long printable runs."""
    if is_hidden_text(text):
        return True
    odd = sum(not (c.isprintable() or c.isspace()) for c in text)
    if odd * 50 > len(text):
        return False
    return len(text) >= 12 and sum(c.isalnum() or c.isspace() for c in text) * 2 > len(text)


def vocabulary_share(text: str) -> float:
    """The share of letters of `text` that belong to English words of two letters and more, rarer ones too."""
    words = _WORD.findall(text.lower())
    total = sum(map(len, words))
    known = vocabulary()
    return sum(len(w) for w in words if len(w) > 1 and w in known) / total if total else 0.0
