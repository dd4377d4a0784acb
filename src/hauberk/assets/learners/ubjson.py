"""Universal Binary JSON, as XGBoost writes it, into plain values; numeric arrays are bounded by the bytes they take."""

import struct

from hauberk.assets.budget import Budget
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed, ReadError
from hauberk.core import Content, GapReason

MAX_DEPTH = 100
_NUMBERS: dict[int, struct.Struct] = {
    0x69: struct.Struct(">b"), 0x55: struct.Struct(">B"), 0x49: struct.Struct(">h"), 0x6C: struct.Struct(">i"),
    0x4C: struct.Struct(">q"), 0x64: struct.Struct(">f"), 0x44: struct.Struct(">d"),
}  # fmt: skip
_SIMPLE: dict[int, object] = {0x5A: None, 0x54: True, 0x46: False, 0x4E: None}


def parse_ubjson(content: Content, budget: Budget) -> object:
    """The value of a UBJSON document. Raises ReadError."""
    cursor = Cursor(content)
    return _value(cursor, cursor.u8(), budget, 0)


def _value(cursor: Cursor, tag: int, budget: Budget, depth: int) -> object:
    budget.tick()
    if depth > MAX_DEPTH:
        raise ReadError(
            GapReason.TOO_DEEP, f"UBJSON nested more than {MAX_DEPTH} deep", offset=cursor.offset, check="ubjson.too-deep"
        )
    number = _NUMBERS.get(tag)
    if number is not None:
        return cursor.unpack(number)[0]
    if tag in _SIMPLE:
        return _SIMPLE[tag]
    if tag in {0x53, 0x48}:
        return cursor.take(_count(cursor)).decode("utf-8", "replace")
    if tag == 0x43:
        return chr(cursor.u8())
    if tag == 0x5B:
        return _array(cursor, budget, depth)
    if tag == 0x7B:
        return _object(cursor, budget, depth)
    raise Malformed(f"no UBJSON type 0x{tag:02x}", offset=cursor.offset - 1)


def _count(cursor: Cursor) -> int:
    tag = cursor.u8()
    number = _NUMBERS.get(tag)
    if number is None or tag in {0x64, 0x44}:
        raise Malformed("a length that is no integer", offset=cursor.offset - 1)
    value = int(cursor.unpack(number)[0])
    if value < 0 or value > cursor.remaining:
        raise Malformed(f"a length of {value}, {cursor.remaining} bytes left", offset=cursor.offset, check="ubjson.length")
    return value


def _header(cursor: Cursor) -> tuple[int, int, int]:
    """Type and count in front of a container, -1 where it has none, and the next byte when it has neither."""
    tag, kind, count = cursor.u8(), -1, -1
    if tag == 0x24:
        kind, tag = cursor.u8(), cursor.u8()
        if tag != 0x23:
            raise Malformed("a typed container without its count", offset=cursor.offset)
    if tag == 0x23:
        return kind, _count(cursor), -1
    return kind, count, tag


def _array(cursor: Cursor, budget: Budget, depth: int) -> list[object]:
    kind, count, tag = _header(cursor)
    number = _NUMBERS.get(kind)
    if number is not None:
        data = cursor.take(count * number.size)
        return list(struct.unpack(f">{count}{number.format[-1]}", data))
    if count >= 0:
        return [_value(cursor, kind if kind >= 0 else cursor.u8(), budget, depth + 1) for _ in range(count)]
    items: list[object] = []
    while tag != 0x5D:
        if tag != 0x4E:
            items.append(_value(cursor, tag, budget, depth + 1))
        tag = cursor.u8()
    return items


def _object(cursor: Cursor, budget: Budget, depth: int) -> dict[str, object]:
    kind, count, tag = _header(cursor)
    found: dict[str, object] = {}
    while count != 0 and tag != 0x7D:
        if tag >= 0:
            cursor.offset -= 1
        key = cursor.take(_count(cursor)).decode("utf-8", "replace")
        found[key] = _value(cursor, kind if kind >= 0 else cursor.u8(), budget, depth + 1)
        count = count - 1 if count > 0 else count
        tag = cursor.u8() if count < 0 else -1
    return found
