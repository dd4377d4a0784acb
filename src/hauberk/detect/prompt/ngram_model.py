"""The first stage: n-grams' vectors summed over each window, then two small layers (after fastText, Joulin et al. 2017)."""

from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from hauberk.detect.prompt.grams import I64, buckets
from hauberk.detect.prompt.labels import Voice

F32: TypeAlias = npt.NDArray[np.float32]
CHUNK = 1 << 14
"""Characters that are hashed at once."""


class NgramModel:
    """Weights of the first stage.

    Args:
        table: One vector of int8 per bucket.
        layers: `scale` of the table, `w1` (hidden x vector and voices), `b1`, `w2` (outputs x hidden), `b2`.
    """

    def __init__(self, table: npt.NDArray[np.int8], layers: dict[str, F32]) -> None:
        self._table = table
        width = table.shape[1]
        self._in = np.ascontiguousarray(layers["w1"][:, :width].T) * layers["scale"]
        self._voice = np.ascontiguousarray(layers["w1"][:, width:].T) + layers["b1"]
        self._out = np.ascontiguousarray(layers["w2"].T)
        self._bias = layers["b2"]

    @classmethod
    def read(cls, folder: Path) -> "NgramModel":
        """From `ngram-table.npy`, which stays on the disk until a row is asked for, and `ngram-layers.npz`."""
        table = np.asarray(np.load(folder / "ngram-table.npy", mmap_mode="r"))  # a memmap's own indexing is slow
        with np.load(folder / "ngram-layers.npz") as layers:
            return cls(table, {name: layers[name] for name in layers.files})

    def logits(self, text: str, places: list[tuple[int, int]], voice: Voice) -> F32:
        """Logits of each window of `text` (windows x outputs); `places` as `spans` gives them."""
        sums = self.sums(text, places)
        hidden = np.maximum(sums @ self._in + self._voice[int(voice)], 0)
        return hidden @ self._out + self._bias

    def sums(self, text: str, places: list[tuple[int, int]]) -> F32:
        """The sum of the vectors of each window, over the root of their number."""
        if len(places) == 1:
            numbers, _ = buckets(text)
            total = self._table[numbers].sum(0, dtype=np.int32, keepdims=True)
            return (total / np.sqrt(max(len(numbers), 1))).astype(np.float32)
        made = [self._windows(text, places[first : first + count]) for first, count in _groups(places)]
        return np.concatenate(made)

    def _windows(self, text: str, places: list[tuple[int, int]]) -> F32:
        start, end = places[0][0], places[-1][1]
        numbers, at = buckets(text[start:end])
        edges = np.array(places) - start
        bounds = np.unique(edges)  # windows that overlap share cells: each gram is added up once
        cells, counts = _cells(self._table[numbers], at, bounds)
        reach = np.concatenate([np.zeros((1, cells.shape[1]), np.int64), np.cumsum(cells, 0)])
        grams = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        first, last = np.searchsorted(bounds, edges).T
        total, count = reach[last] - reach[first], grams[last] - grams[first]
        return (total / np.sqrt(np.maximum(count, 1))[:, None]).astype(np.float32)


def _cells(vectors: npt.NDArray[np.int8], at: I64, bounds: I64) -> tuple[I64, I64]:
    """Sums of the vectors that begin between each two neighbours of `bounds`, and how many they are.

    `at` rises in runs, one for each length of gram; every cell of every run is a slice of `vectors`.
    """
    runs = np.concatenate([np.zeros(1, np.int64), np.flatnonzero(np.diff(at) < 0) + 1, np.array([len(at)])])
    slices = [low + np.searchsorted(at[low:high], bounds) for low, high in zip(runs[:-1].tolist(), runs[1:].tolist(), strict=True)]
    ends = np.array(slices)
    sizes = np.diff(ends, axis=1)
    filled = sizes > 0
    sums = np.zeros((*sizes.shape, vectors.shape[1]), np.int64)
    starts = ends[:, :-1][filled]
    if len(starts):  # filled slices lie end to end, so that each one ends where the next begins
        sums[filled] = np.add.reduceat(vectors, starts, 0, dtype=np.int32)
    return sums.sum(0), sizes.sum(0)


def _groups(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """First window and number of windows of each group that spans about `CHUNK` characters."""
    found: list[tuple[int, int]] = []
    first = 0
    for number, (_, end) in enumerate(places):
        if end - places[first][0] >= CHUNK or number == len(places) - 1:
            found.append((first, number + 1 - first))
            first = number + 1
    return found


def save(folder: Path, table: npt.NDArray[np.int8], layers: dict[str, F32]) -> None:
    """Writes what `NgramModel.read` reads."""
    np.save(folder / "ngram-table.npy", table)
    np.savez_compressed(folder / "ngram-layers.npz", **layers)  # pyright: ignore[reportArgumentType]
