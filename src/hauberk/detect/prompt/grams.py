"""Hashed n-grams of a text: characters by 1 to 5 and words by 1 to 3, each with its place.

All hashes are polynomial, read off one prefix sum modulo 2**64 (Karp and Rabin 1987) and mixed by the finaliser of splitmix64, so
that a text costs a fixed number of array operations and no step of Python per gram.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

U64: TypeAlias = npt.NDArray[np.uint64]
I64: TypeAlias = npt.NDArray[np.int64]

BITS = 19
"""Buckets are numbered with so many bits."""
CHARACTERS = 5
WORDS = 3

_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 1 << 64)
_SALTS = [np.uint64(0xD6E8FEB86659FD93 * (2 * n + 1) & (1 << 64) - 1) for n in range(CHARACTERS + WORDS + 1)]
_SHIFT = np.uint64(64 - BITS)
_STEP = 1 << 12


class _Powers:
    """Powers of the base and of its inverse, grown as texts ask for them."""

    def __init__(self) -> None:
        self.up, self.down = self._made(_STEP)

    @staticmethod
    def _made(count: int) -> tuple[U64, U64]:
        ones = np.ones(1, np.uint64)
        return (
            np.cumprod(np.concatenate([ones, np.full(count, _BASE, np.uint64)]), dtype=np.uint64),
            np.cumprod(np.concatenate([ones, np.full(count, _INVERSE, np.uint64)]), dtype=np.uint64),
        )

    def at_least(self, count: int) -> tuple[U64, U64]:
        """Both tables, `count` long or longer."""
        up, down = self.up, self.down
        if len(up) < count or len(down) < count:
            up, down = self._made(count + _STEP)
            self.up, self.down = up, down  # a race makes them twice, no more
        return up, down


_POWERS = _Powers()


def _mixed(values: U64) -> U64:
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _codes(text: str) -> tuple[U64, I64]:
    """Code points in lower case, any run of white space as one space, and the place of each in the text."""
    low = text.lower()
    if len(low) != len(text):  # a few capitals become two characters: leave those as they are
        low = "".join(new if len(new := letter.lower()) == 1 else letter for letter in text)
    codes = np.frombuffer(low.encode("utf-32-le", "surrogatepass"), np.uint32)
    blank = (codes <= 32) | (codes == 0xA0) | (codes == 0x3000)
    kept = np.flatnonzero(~(blank & np.concatenate([np.ones(1, np.bool_), blank[:-1]])))
    chosen = codes[kept].astype(np.uint64)
    chosen[blank[kept]] = 32
    return chosen, kept


def _is_word(codes: U64) -> npt.NDArray[np.bool_]:
    small = ((codes >= 97) & (codes <= 122)) | ((codes >= 48) & (codes <= 57)) | (codes == 39)
    return small | ((codes >= 0xC0) & (codes < 0x2E80) & ((codes < 0x2000) | (codes > 0x206F)))


def _words(codes: U64, sums: U64, down: U64) -> tuple[U64, I64]:
    """Hash and place of each word: a run of letters and digits of scripts that write them apart."""
    inside = _is_word(codes).astype(np.int8)
    edges = np.diff(np.concatenate([np.zeros(1, np.int8), inside, np.zeros(1, np.int8)]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return _mixed((sums[ends] - sums[starts]) * down[starts]), starts


def buckets(text: str) -> tuple[npt.NDArray[np.int32], I64]:
    """The bucket of every n-gram of `text` and the character it begins at, unordered; both empty for a blank text."""
    codes, places = _codes(text)
    count = len(codes)
    if not count:
        return np.empty(0, np.int32), np.empty(0, np.int64)
    up, down = _POWERS.at_least(count + 1)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum((codes + np.uint64(1)) * up[:count], dtype=np.uint64)])
    hashes: list[U64] = []
    at: list[I64] = []
    for size in range(1, min(CHARACTERS, count) + 1):
        number = count - size + 1
        hashes.append((sums[size:] - sums[:number]) * down[:number] + _SALTS[size])
        at.append(places[:number])
    words, starts = _words(codes, sums, down)
    joined = words
    for size in range(1, min(WORDS, len(words)) + 1):
        if size > 1:
            joined = joined[:-1] * np.uint64(_BASE) + words[size - 1 :]
        hashes.append(joined + _SALTS[CHARACTERS + size])
        at.append(places[starts[: len(joined)]])
    return (_mixed(np.concatenate(hashes)) >> _SHIFT).astype(np.int32), np.concatenate(at)
