"""Which bytes of a tensor file the weight statistics look at: all of a small file, evenly spread windows of a large one."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from hauberk.assets.tensors.tensor_span import TensorSpan
from hauberk.core import Content

BUDGET = 16 << 20  # bytes of one file that are looked at
WINDOW = 1 << 20  # at most, at one place
SMALLEST_WINDOW = 16 << 10
# dtype as the formats spell it -> (numpy's little-endian name, bytes of an element)
FLOATS: dict[str, tuple[str, int]] = {"F64": ("<f8", 8), "F32": ("<f4", 4), "F16": ("<f2", 2), "BF16": ("<u2", 2)}
# Buffers that hold infinities, giants and patterns on purpose, by the names they have.
NO_WEIGHT = re.compile(
    r"(?i)mask|alibi|inv_freq|freqs|num_batches|running_|sigma|betas|alphas|posterior|causal|position_(?:bias|ids|index)"
    r"|(?:^|[._])(?:sin|cos|pe)(?:[._]|$)"
)


class Window(msgspec.Struct, frozen=True):
    """A piece of a tensor: `offset` is counted from the tensor's first byte and whole in elements."""

    span: TensorSpan
    offset: int
    data: bytes


class Plan(msgspec.Struct, frozen=True):
    """The places to look at, and which part of the float bytes they are."""

    places: tuple[tuple[TensorSpan, int, int], ...]  # tensor, offset in it, length
    seen: int
    total: int

    @property
    def share(self) -> str:
        """What a note says of the part that was looked at."""
        if self.seen >= self.total:
            return "all values were looked at"
        return f"{self.seen / self.total:.1%} of the values were looked at"

    def windows(self, content: Content) -> Iterator[Window]:
        """Reads each place in turn."""
        for span, offset, length in self.places:
            data = content.read(span.start + offset, length)
            size = FLOATS[span.dtype][1]
            yield Window(span, offset, data[: len(data) // size * size])


def plan(spans: Sequence[TensorSpan], budget: int = BUDGET) -> Plan:
    """Where to look in the float tensors of `spans`: everywhere when they fit the budget, else evenly, first bytes first."""
    floats = [span for span in spans if span.dtype in FLOATS and span.size >= 4 * FLOATS[span.dtype][1]]
    total = sum(span.size for span in floats)
    if total <= budget:
        places = [place for span in floats for place in _all_of(span)]
        return Plan(tuple(places), total, total)
    places: list[tuple[TensorSpan, int, int]] = []
    share = budget / total
    left = budget
    for span in sorted(floats, key=lambda s: -s.size):
        for offset, length in _some_of(span, min(left, max(SMALLEST_WINDOW, int(span.size * share)))):
            places.append((span, offset, length))
            left -= length
        if left < SMALLEST_WINDOW:
            break
    places.sort(key=lambda place: (place[0].start, place[1]))
    return Plan(tuple(places), budget - left, total)


def _all_of(span: TensorSpan) -> Iterator[tuple[TensorSpan, int, int]]:
    for offset in range(0, span.size, WINDOW):
        yield span, offset, min(WINDOW, span.size - offset)


def _some_of(span: TensorSpan, wanted: int) -> Iterator[tuple[int, int]]:
    if wanted >= span.size:
        yield from ((offset, min(WINDOW, span.size - offset)) for offset in range(0, span.size, WINDOW))
        return
    count = max(1, min(8, wanted // (128 << 10)))
    length = wanted // count // 64 * 64
    step = (span.size - length) // max(1, count - 1) if count > 1 else 0
    for number in range(count):
        yield number * step // 64 * 64, length
