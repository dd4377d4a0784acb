"""Near-duplicates: what is so like a reference row that training on it would be training on the test.

Three tests on normalised text (NFKC, casefolded, letters and digits only): equality, containment of a text of at least `WINDOW`
characters in the other, and Jaccard similarity of character 5-grams, found by MinHash with banding (Broder 1997) and verified.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

WINDOW = 32
"""The shortest text, in normalised characters, whose containment in another counts as a copy."""
SHINGLE = 5
THRESHOLD = 0.7
BANDS, ROWS = 20, 3

U64: TypeAlias = npt.NDArray[np.uint64]

_PRIME = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))
_GENERATOR = np.random.default_rng(20261121)
_MULTIPLIERS = _GENERATOR.integers(1, 2**63, BANDS * ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_OFFSETS = _GENERATOR.integers(0, 2**63, BANDS * ROWS, dtype=np.uint64)


def normalise(text: str) -> str:
    """Letters and digits only, NFKC and casefolded."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def _mixed(values: U64) -> U64:
    """The finaliser of splitmix64: every input bit reaches every output bit."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _powers(base: np.uint64, count: int) -> U64:
    return np.cumprod(np.concatenate([np.ones(1, np.uint64), np.full(max(count - 1, 0), base, np.uint64)]), dtype=np.uint64)


def windows(text: str, width: int) -> U64:
    """Hashes of all windows of ``width`` characters, in order; empty if the text is shorter."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    if len(codes) < width:
        return np.empty(0, np.uint64)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(codes * _powers(_PRIME, len(codes)), dtype=np.uint64)])
    spans = sums[width:] - sums[:-width]
    return _mixed(spans * _powers(_INVERSE, len(spans)))


def found_in(values: U64, keys: U64) -> U64:
    """Which of the values stand among sorted keys, each once."""
    if not len(keys) or not len(values):
        return np.empty(0, np.uint64)
    places = np.minimum(np.searchsorted(keys, values), len(keys) - 1)
    return np.unique(values[keys[places] == values])


@lru_cache(maxsize=20_000)
def shingles(text: str) -> U64:
    """The set of character 5-grams of a normalised text, as sorted hashes; a shorter text is one shingle."""
    if len(text) < SHINGLE:
        text = text.ljust(SHINGLE, "\0")
    return np.unique(windows(text, SHINGLE))


def signature(text: str) -> U64:
    """The MinHash signature (`BANDS` * `ROWS` minima) of a normalised text."""
    grams = shingles(text)
    return np.array([(grams * a + b).min() for a, b in zip(_MULTIPLIERS, _OFFSETS, strict=True)], np.uint64)


def jaccard(left: str, right: str) -> float:
    """Jaccard similarity of two normalised texts' character 5-grams, 0 to 1."""
    a, b = shingles(left), shingles(right)
    common = len(np.intersect1d(a, b, assume_unique=True))
    return common / (len(a) + len(b) - common)


def band_keys(signatures: U64) -> U64:
    """One key per band and row of ``signatures`` (rows x minima): shape rows x `BANDS`."""
    parts = signatures.reshape(len(signatures), BANDS, ROWS)
    keys = np.zeros(parts.shape[:2], np.uint64)
    for row in range(ROWS):
        keys = _mixed(keys * _PRIME + parts[:, :, row])
    return keys


class NearIndex:
    """Reference texts, asked whether another text copies one of them.

    Args:
        references: Raw reference texts; they are normalised here and never shown.
    """

    def __init__(self, references: Sequence[str]) -> None:
        self._texts = sorted({normalise(text) for text in references} - {""})
        self._exact = set(self._texts)
        self._signatures = (
            np.stack([signature(text) for text in self._texts]) if self._texts else np.empty((0, BANDS * ROWS), np.uint64)
        )
        keys = band_keys(self._signatures)
        self._order = np.argsort(keys, axis=0, kind="stable")
        self._keys = np.take_along_axis(keys, self._order, axis=0)
        self._heads: dict[int, list[int]] = {}
        for number, text in enumerate(self._texts):
            if len(text) >= WINDOW:
                self._heads.setdefault(int(windows(text[:WINDOW], WINDOW)[0]), []).append(number)
        self._head_keys = np.array(sorted(self._heads), np.uint64)

    def copies(self, texts: Sequence[str]) -> list[str]:
        """For each text, why it counts as a copy: ``exact``, ``contains``, ``contained``, ``similar`` or the empty string."""
        plain = [normalise(text) for text in texts]
        inside = self._contained(plain)
        found: list[str] = []
        for number, text in enumerate(plain):
            if text in self._exact:
                found.append("exact")
            elif number in inside:
                found.append("contained")
            elif self._contains(text):
                found.append("contains")
            else:
                found.append("similar" if self._similar(text) else "")
        return found

    def _contains(self, text: str) -> bool:
        spans = windows(text, WINDOW)
        hits = found_in(spans, self._head_keys).tolist()
        return any(self._texts[number] in text for hit in hits for number in self._heads[hit])

    def _contained(self, texts: list[str]) -> set[int]:
        heads: dict[int, list[int]] = {}
        for number, text in enumerate(texts):
            if len(text) >= WINDOW:
                heads.setdefault(int(windows(text[:WINDOW], WINDOW)[0]), []).append(number)
        keys = np.array(sorted(heads), np.uint64)
        found: set[int] = set()
        for reference in self._texts:
            spans = windows(reference, WINDOW)
            for hit in found_in(spans, keys).tolist():
                found.update(number for number in heads[hit] if texts[number] in reference)
        return found

    def _similar(self, text: str) -> bool:
        if not self._texts:
            return False
        own = signature(text)
        candidates: set[int] = set()
        for band, key in enumerate(band_keys(own[None, :])[0]):
            column = self._keys[:, band]
            low, high = np.searchsorted(column, key, "left"), np.searchsorted(column, key, "right")
            candidates.update(self._order[low:high, band].tolist())
        if not candidates:
            return False
        numbers = np.array(sorted(candidates))
        agreement = (self._signatures[numbers] == own).mean(axis=1)
        # An estimate from 60 minima has a standard error of about 0.06 at 0.7: verify all within three of it, the best first.
        likely = numbers[np.argsort(-agreement)][: int((agreement >= THRESHOLD - 0.2).sum())]
        return any(jaccard(text, self._texts[int(number)]) >= THRESHOLD for number in likely[:20])
