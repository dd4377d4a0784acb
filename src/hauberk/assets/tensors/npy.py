"""NumPy's array files: the header is held against the bytes behind it; arrays of objects are pickles."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from hauberk.assets.budget import Budget
from hauberk.assets.content import SliceContent
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed
from hauberk.core import Asset, Fact, Gap

_HEADER_LIMIT: Final = 1 << 16
_KEYS: Final = frozenset({"descr", "fortran_order", "shape"})
_SIMPLE: Final = re.compile(r"[<>|=]?([biufcSUVmMO?tT])(\d{0,9})(\[[^\]]{0,40}\])?")
_NESTED: Final = 60  # opening brackets in a header: numpy's own parser gives up on deep ones
_PLAIN_SIZE: Final = {"?": 1, "U": 4}


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Yields what the header lies about, and the pickle behind it when the items are objects."""
    del budget
    assert asset.content is not None
    cursor = Cursor(asset.content)
    header = _parse(_header(cursor))
    start = cursor.offset
    objects, size = _item(header["descr"], 0)
    count = _count(header["shape"])
    if objects:
        yield Fact("npy.objects", "the items are Python objects: loading them unpickles", offset=start)
        yield asset.child("objects", SliceContent(asset.content, start, asset.content.size - start), format="pickle")
        return
    left = asset.content.size - start
    if count * size > left:
        note = f"the header claims {min(count * size, 1 << 62)} bytes of items, {left} are there"
        raise Malformed(note, offset=0, check="npy.bounds")
    if count * size < left:
        yield Fact("npy.trailing-data", f"{left - count * size} bytes follow the array", offset=start + count * size)
        behind = SliceContent(asset.content, start + count * size, left - count * size)
        yield asset.child(f"behind@{start + count * size}", behind)


def _header(cursor: Cursor) -> str:
    cursor.skip(6)
    major, minor = cursor.u8(), cursor.u8()
    if major not in {1, 2, 3} or minor != 0:
        raise Malformed(f"version {major}.{minor} does not exist", offset=6, check="npy.header")
    length = cursor.uint(2 if major == 1 else 4)
    if length > _HEADER_LIMIT:
        raise Malformed(f"a header of {length} bytes", offset=8, check="npy.header")
    data = cursor.take(length)
    try:
        return data.decode("utf-8" if major == 3 else "latin-1").strip()
    except UnicodeDecodeError:
        raise Malformed("the header is not UTF-8", offset=10, check="npy.header") from None


def _parse(text: str) -> dict[str, object]:
    """The header as a dict of literals; numpy reads it as a Python literal, other readers evaluate it."""
    if sum(map(text.count, "([{")) > _NESTED + text.count("',"):
        raise Malformed("the header is nested too deep", offset=10, check="npy.header")
    try:
        header = ast.literal_eval(re.sub(r"(?<=\d)L\b", "", text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise Malformed(
            "the header is no plain literal: readers that evaluate it run it", offset=10, check="npy.header-code"
        ) from None
    if not isinstance(header, dict) or set(header) != _KEYS:  # type: ignore[arg-type]
        raise Malformed("the header does not have the keys descr, fortran_order and shape", offset=10, check="npy.header")
    return header  # type: ignore[return-value]


def _item(descr: object, depth: int) -> tuple[bool, int]:
    """Whether items hold objects, and the bytes of one."""
    if depth > 8:
        raise Malformed("the dtype is nested too deep", offset=10, check="npy.header")
    if isinstance(descr, str):
        match = _SIMPLE.fullmatch(descr)
        if match is None:
            raise Malformed("the dtype is not one of numpy's", offset=10, check="npy.header")
        kind, digits = match[1], match[2]
        return kind in "OT", int(digits or 1) * _PLAIN_SIZE.get(kind, 1)
    if isinstance(descr, list):
        parts = [_field(field, depth) for field in descr]  # type: ignore[reportUnknownVariableType]
        return any(objects for objects, _ in parts), sum(size for _, size in parts)
    if isinstance(descr, tuple) and len(descr) == 2:  # type: ignore[arg-type]
        objects, size = _item(descr[0], depth + 1)  # type: ignore[reportUnknownArgumentType]
        return objects, size * _count(descr[1])  # type: ignore[reportUnknownArgumentType]
    raise Malformed("the dtype is not one of numpy's", offset=10, check="npy.header")


def _field(field: object, depth: int) -> tuple[bool, int]:
    if not isinstance(field, tuple) or len(field) not in {2, 3}:  # type: ignore[arg-type]
        raise Malformed("a field of the dtype is not a pair", offset=10, check="npy.header")
    objects, size = _item(field[1], depth + 1)  # type: ignore[reportUnknownArgumentType]
    return objects, size * (_count(field[2]) if len(field) == 3 else 1)  # type: ignore[reportUnknownArgumentType]


def _count(shape: object) -> int:
    extents: tuple[object, ...] = shape if isinstance(shape, tuple) else (shape,)  # type: ignore[assignment]
    count = 1
    for extent in extents:
        if not isinstance(extent, int) or extent < 0 or extent >= 1 << 63 or len(extents) > 64:
            raise Malformed("the shape is not made of sizes", offset=10, check="npy.header")
        count *= extent
    return count
