"""Values no training leaves behind: not-a-number, infinity, single giants, rows out of all proportion."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hauberk.assets.quoting import quote
from hauberk.core import Fact
from hauberk.detect.weight_sampling import FLOATS, NO_WEIGHT, Window

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_GIANT = 1e9
_ROW_FAR, _ROW_HIGH = 20.0, 300.0
_FEWEST_ROWS = 16


def value_facts(window: Window) -> Iterator[Fact]:
    """`weights.non-finite`, `weights.giant` and `weights.rows` of one window."""
    import numpy as np

    with np.errstate(all="ignore"):  # overflow is what is looked for
        yield from _facts(window, _as_floats(window))


def _facts(window: Window, values: "Floats") -> Iterator[Fact]:
    import numpy as np

    finite = np.isfinite(values)
    name = window.span.name
    bad = int(values.size - np.count_nonzero(finite))
    if bad:
        nan = int(np.count_nonzero(np.isnan(values)))
        if nan or not NO_WEIGHT.search(name):
            where = int(np.argmin(finite))
            note = f"{nan} not-a-number and {bad - nan} infinite values"
            yield _fact("weights.non-finite", note, window, where, kind="nan" if nan else "inf")
        values = np.where(finite, values, np.float32(0))
    magnitude = np.abs(values)
    largest = int(np.argmax(magnitude)) if magnitude.size else 0
    if magnitude.size and float(magnitude[largest]) > _GIANT and not NO_WEIGHT.search(name):
        typical = float(np.median(magnitude))
        if typical < 1e3:
            note = f"a value of {values[largest]:.3g} among values of about {typical:.2g}"
            yield _fact("weights.giant", note, window, largest)
            return
    yield from _rows(window, values)


def _as_floats(window: Window) -> "Floats":
    import numpy as np

    kind, _ = FLOATS[window.span.dtype]
    raw = np.frombuffer(window.data, kind)
    if window.span.dtype == "BF16":
        return (raw.astype(np.uint32) << 16).view(np.float32)
    return raw.astype(np.float32)


def _rows(window: Window, values: "Floats") -> Iterator[Fact]:
    """Rows that are far out of proportion, constant among varied ones, or there twice."""
    import numpy as np

    span = window.span
    if len(span.shape) < 2 or NO_WEIGHT.search(span.name):
        return
    width = _width(span.shape)
    size = FLOATS[span.dtype][1]
    skip = -(window.offset // size) % width
    count = (values.size - skip) // width
    if count < _FEWEST_ROWS or width < 8:
        return
    rows = values[skip : skip + count * width].reshape(count, width)
    first = (window.offset // size + skip) // width
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    typical = float(np.median(norms))
    if not typical > 0:
        return
    far = np.flatnonzero(norms > _ROW_FAR * typical)
    if 0 < far.size <= max(3, count // 500):
        row = int(far[np.argmax(norms[far])])
        ratio = float(norms[row] / typical)
        note = f"row {first + row} is {ratio:.0f} times as long as the median row"
        degree = "high" if ratio > _ROW_HIGH else "some"
        yield _fact("weights.rows", note, window, skip + row * width, kind="scaled", degree=degree)
    maybe = np.flatnonzero((norms > 0) & (rows[:, 0] == rows[:, 1]) & (rows[:, 0] == rows[:, -1]))
    constant = maybe[np.ptp(rows[maybe], axis=1) == 0] if maybe.size else maybe
    if 0 < constant.size <= max(3, count // 500):
        row = int(constant[0])
        note = f"every value of row {first + row} is {rows[row, 0]:.3g}"
        yield _fact("weights.rows", note, window, skip + row * width, kind="constant", degree="some")


def _width(shape: tuple[int, ...]) -> int:
    width = 1
    for dim in shape[1:]:
        width *= dim
    return max(1, width)


def _fact(check: str, note: str, window: Window, index: int, **attrs: str) -> Fact:
    offset = window.span.start + window.offset + index * FLOATS[window.span.dtype][1]
    shown = quote(window.span.name, 80)
    return Fact(check, f"{shown}: {note}", offset=offset, where=shown, attrs=dict(attrs))
