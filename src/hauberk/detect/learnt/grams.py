"""The windows of a text as hashed n-grams, the same when a model is fitted and when it is asked."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from hauberk.detect.prompt.grams import BITS, buckets
from hauberk.detect.prompt.windows import spans

I32: TypeAlias = npt.NDArray[np.int32]
F64: TypeAlias = npt.NDArray[np.float64]
SIZE = 1 << BITS
"""Number of buckets."""
CHUNK = 1 << 14
"""Characters that are hashed at once, about."""


def windows(text: str) -> Iterator[tuple[int, int, I32]]:
    """First character, the one after the last, and the buckets of the n-grams that begin in each window of `text`."""
    places = spans(text)
    first = 0
    for number, (_, end) in enumerate(places):
        if end - places[first][0] < CHUNK and number < len(places) - 1:
            continue
        base = places[first][0]
        numbers, at = buckets(text[base:end])
        order = np.argsort(at, kind="stable")
        numbers, at = numbers[order], at[order]
        for start, stop in places[first : number + 1]:
            low, high = np.searchsorted(at, (start - base, stop - base))
            yield start, stop, numbers[low:high]
        first = number + 1


class Rows:
    """Windows as sparse rows: each n-gram's count over the root of the number of all n-grams of the window."""

    def __init__(self, found: Iterator[I32] | list[I32]) -> None:
        """Counts the buckets of each window."""
        columns: list[I32] = []
        values: list[F64] = []
        for numbers in found:
            kept, counts = np.unique(numbers, return_counts=True)
            columns.append(kept.astype(np.int32))
            values.append(counts / np.sqrt(max(len(numbers), 1)))
        self.lengths = np.array([len(row) for row in columns], np.int64)
        self.columns = np.concatenate(columns) if columns else np.empty(0, np.int32)
        self.values = np.concatenate(values) if values else np.empty(0, np.float64)

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def owners(self) -> npt.NDArray[np.int64]:
        """The row of each entry."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def spread(self, kept: npt.NDArray[np.bool_]) -> F64:
        """In how many of the rows in `kept` each bucket occurs."""
        return np.bincount(self.columns[kept[self.owners]], minlength=SIZE).astype(np.float64)
