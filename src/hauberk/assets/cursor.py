"""A bounded forward reader of binary structures."""

import struct

from hauberk.assets.errors import Truncated
from hauberk.core import Content

_WINDOW = 1 << 16


class Cursor:
    """Reads integers and byte strings from `content` between `offset` and `end`, buffering 64 KiB at a time.

    Every method raises Truncated when the bytes are not there; none allocates more than it was asked for,
    and never more than the content holds.
    """

    __slots__ = ("_base", "_buffer", "content", "end", "offset")

    def __init__(self, content: Content, offset: int = 0, end: int | None = None) -> None:
        self.content = content
        self.offset = offset
        self.end = content.size if end is None else min(end, content.size)
        self._buffer = b""
        self._base = 0

    @property
    def remaining(self) -> int:
        """Bytes left before `end`."""
        return self.end - self.offset

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        if length < 0 or length > self.end - self.offset:
            raise Truncated(f"{length} bytes wanted, {max(0, self.end - self.offset)} left", offset=self.offset)
        start = self.offset - self._base
        if start >= 0 and start + length <= len(self._buffer):
            data = self._buffer[start : start + length]
        elif length >= _WINDOW:
            data = self.content.read(self.offset, length)
        else:
            self._buffer = self.content.read(self.offset, min(_WINDOW, self.end - self.offset))
            self._base = self.offset
            data = self._buffer[:length]
        if len(data) != length:
            raise Truncated("the file became shorter while it was read", offset=self.offset)
        self.offset += length
        return data

    def skip(self, length: int) -> None:
        """Moves on by `length` bytes without reading them."""
        if length < 0 or length > self.end - self.offset:
            raise Truncated(f"{length} bytes to skip, {max(0, self.end - self.offset)} left", offset=self.offset)
        self.offset += length

    def unpack(self, layout: struct.Struct) -> tuple[int | float, ...]:
        """The next fields as `layout` describes them."""
        return layout.unpack(self.take(layout.size))

    def u8(self) -> int:
        """An unsigned byte."""
        return self.take(1)[0]

    def uint(self, width: int, *, big: bool = False) -> int:
        """An unsigned integer of `width` bytes, little-endian unless `big`."""
        return int.from_bytes(self.take(width), "big" if big else "little")

    def sint(self, width: int, *, big: bool = False) -> int:
        """A signed integer of `width` bytes, little-endian unless `big`."""
        return int.from_bytes(self.take(width), "big" if big else "little", signed=True)
