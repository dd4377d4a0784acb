"""A bounded walker over the Protocol Buffers wire format: no schema, no copies, nothing loaded that is not asked for.

A field is named by its number; what it means is the caller's business. Payloads are windows into the content, so a
model of two gigabytes with its tensors inline costs the reading of its structure only.
"""

from collections.abc import Iterator
from typing import NamedTuple

from hauberk.assets.budget import Budget
from hauberk.assets.errors import Malformed, Truncated
from hauberk.core import Content

VARINT, FIXED64, LEN, START_GROUP, END_GROUP, FIXED32 = range(6)
MAX_DEPTH = 100  # as deep as the reference implementations go
_MAX_MESSAGE = 1 << 31  # no implementation writes a longer one
_WINDOW = 1 << 16


class Field(NamedTuple):
    """One field: `value` of a number (unsigned), or the window `[start, end)` of a length-delimited payload."""

    number: int
    wire: int
    value: int
    start: int
    end: int

    @property
    def size(self) -> int:
        """Bytes of the payload."""
        return self.end - self.start

    @property
    def signed(self) -> int:
        """The value as int64, as negative numbers of int32 and int64 fields are written."""
        return self.value - (1 << 64) if self.value >> 63 else self.value


class Wire:
    """Reads messages of one content. Raises Truncated where the file ends early, Malformed where lengths contradict."""

    __slots__ = ("_base", "_buffer", "budget", "content", "size")

    def __init__(self, content: Content, budget: Budget) -> None:
        self.content = content
        self.budget = budget
        self.size = content.size
        self._buffer = b""
        self._base = 0

    def fields(self, start: int = 0, end: int | None = None, depth: int = 0) -> Iterator[Field]:
        """The fields of the message in `[start, end)`; groups are checked and passed over."""
        if depth > MAX_DEPTH:
            raise Malformed(f"messages nested more than {MAX_DEPTH} deep", offset=start, check="protobuf.too-deep")
        position, end = start, self.size if end is None else end
        tick = self.budget.tick
        while position < end:
            tick()
            at = position
            tag, position = self._varint(position, end)
            number, wire = tag >> 3, tag & 7
            if not 0 < number < 1 << 29:
                raise Malformed(f"field number {number}", offset=at, check="protobuf.malformed")
            if wire == LEN:
                length, position = self._varint(position, end)
                yield Field(number, wire, 0, position, self._bounded(position, length, end))
                position += length
            elif wire == VARINT:
                value, position = self._varint(position, end)
                yield Field(number, wire, value, at, position)
            elif wire in {FIXED64, FIXED32}:
                width = 8 if wire == FIXED64 else 4
                stop = self._bounded(position, width, end)
                yield Field(number, wire, int.from_bytes(self.read(position, width), "little"), position, stop)
                position = stop
            elif wire == START_GROUP:
                position = self._skip_group(position, end, number)
            else:
                raise Malformed(f"wire type {wire}", offset=at, check="protobuf.malformed")

    def inside(self, field: Field, depth: int) -> Iterator[Field]:
        """The fields of the message that `field` holds, one level below `depth`."""
        if field.wire != LEN:
            raise Malformed(
                f"field {field.number} is a number where a message belongs", offset=field.start, check="protobuf.malformed"
            )
        return self.fields(field.start, field.end, depth + 1)

    def bytes_of(self, field: Field, limit: int = 1 << 16) -> bytes:
        """The payload, cut to `limit` bytes; empty for a number."""
        return self.read(field.start, min(field.size, limit)) if field.wire == LEN else b""

    def text(self, field: Field, limit: int = 1 << 16) -> str:
        """The payload as text, cut to `limit` bytes, undecodable bytes escaped."""
        return self.bytes_of(field, limit).decode("utf-8", "backslashreplace")

    def numbers(self, field: Field, limit: int = 4096) -> Iterator[int]:
        """The values of a repeated integer field, packed or not, at most `limit` of them, as int64."""
        if field.wire != LEN:
            yield field.signed
            return
        position = field.start
        while position < field.end and limit:
            value, position = self._varint(position, field.end)
            yield value - (1 << 64) if value >> 63 else value
            limit -= 1

    def read(self, offset: int, length: int) -> bytes:
        """`length` bytes at `offset`, through the window. Raises Truncated when they are not there."""
        at = offset - self._base
        if not (at >= 0 and at + length <= len(self._buffer)):
            if length > _WINDOW:
                data = self.content.read(offset, length)
                if len(data) != length:
                    raise Truncated("the file became shorter while it was read", offset=offset)
                return data
            self._buffer = self.content.read(offset, _WINDOW)
            self._base, at = offset, 0
            if len(self._buffer) < length:
                raise Truncated("the file ends within a field", offset=offset)
        return self._buffer[at : at + length]

    def _bounded(self, start: int, length: int, end: int) -> int:
        if length <= end - start:
            return start + length
        if length >= _MAX_MESSAGE:
            raise Malformed(f"a field claims {length} bytes", offset=start, check="protobuf.length")
        if end >= self.size:
            raise Truncated(f"a field of {length} bytes, {end - start} left", offset=start)
        raise Malformed("a field is longer than the message that holds it", offset=start, check="protobuf.length")

    def _varint(self, position: int, end: int) -> tuple[int, int]:
        at = position - self._base
        buffer = self._buffer
        if not 0 <= at < len(buffer):
            if position >= end:
                raise Truncated("the file ends within a number", offset=position)
            self.read(position, 1)
            at, buffer = 0, self._buffer
        byte = buffer[at]
        if byte < 0x80 and position < end:
            return byte, position + 1
        return self._long_varint(position, end)

    def _long_varint(self, position: int, end: int) -> tuple[int, int]:
        data = self.read(position, min(10, max(0, end - position)))
        value = 0
        for index, byte in enumerate(data):
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                return value & 0xFFFF_FFFF_FFFF_FFFF, position + index + 1
        if len(data) < 10:
            raise Truncated("a number runs past its end", offset=position, check="" if end >= self.size else "protobuf.length")
        raise Malformed("a number longer than ten bytes", offset=position, check="protobuf.malformed")

    def _skip_group(self, position: int, end: int, number: int) -> int:
        """The position behind the group; none of the formats read here has groups, parsers recurse into them."""
        open_groups = [number]
        while open_groups:
            self.budget.tick()
            if len(open_groups) > MAX_DEPTH:
                raise Malformed(f"groups nested more than {MAX_DEPTH} deep", offset=position, check="protobuf.too-deep")
            tag, position = self._varint(position, end)
            wire = tag & 7
            if wire == START_GROUP:
                open_groups.append(tag >> 3)
            elif wire == END_GROUP:
                if open_groups.pop() != tag >> 3:
                    raise Malformed("groups end in another order than they began", offset=position, check="protobuf.malformed")
            elif wire == LEN:
                length, position = self._varint(position, end)
                position = self._bounded(position, length, end)
            elif wire == VARINT:
                _, position = self._varint(position, end)
            elif wire in {FIXED64, FIXED32}:
                position = self._bounded(position, 8 if wire == FIXED64 else 4, end)
            else:
                raise Malformed(f"wire type {wire}", offset=position, check="protobuf.malformed")
        return position
