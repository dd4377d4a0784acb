"""The three codings of R's serialisation: big-endian (XDR), native little-endian, and ASCII lines."""

from typing import Protocol

from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed
from hauberk.assets.quoting import quote

# Bytes of an element: logical, integer, double, complex, raw.
_WIDTH = {10: 4, 13: 4, 14: 8, 15: 16, 24: 1}


class Tokens(Protocol):
    """Numbers and texts of a stream, whatever its coding."""

    @property
    def offset(self) -> int:
        """Where the next token starts."""
        ...

    def integer(self) -> int:
        """A signed 32-bit integer."""
        ...

    def count(self, least: int) -> int:
        """A length whose elements take at least `least` bytes each. Raises Malformed when they cannot be there."""
        ...

    def text(self, size: int) -> bytes:
        """A text of `size` bytes."""
        ...

    def array(self, kind: int, count: int) -> None:
        """Passes over `count` numbers of an R type."""
        ...


class XdrTokens:
    """Big-endian."""

    big = True

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor

    @property
    def offset(self) -> int:
        return self.cursor.offset

    def integer(self) -> int:
        return self.cursor.sint(4, big=self.big)

    def count(self, least: int) -> int:
        value = self.integer()
        if value == -1:  # a long vector: two halves follow
            value = (self.cursor.uint(4, big=self.big) << 32) + self.cursor.uint(4, big=self.big)
        if value < 0 or value * least > self.cursor.remaining:
            raise Malformed(f"a length of {value}, {self.cursor.remaining} bytes left", offset=self.offset, check="rds.length")
        return value

    def text(self, size: int) -> bytes:
        if size > self.cursor.remaining:
            raise Malformed(f"a text of {size} bytes, {self.cursor.remaining} left", offset=self.offset, check="rds.length")
        return self.cursor.take(max(size, 0))

    def array(self, kind: int, count: int) -> None:
        self.cursor.skip(_WIDTH[kind] * count)


class NativeTokens(XdrTokens):
    """Little-endian."""

    big = False


class AsciiTokens:
    """A token a line."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor

    @property
    def offset(self) -> int:
        return self.cursor.offset

    def _line(self) -> bytes:
        line = bytearray()
        while self.cursor.remaining and (byte := self.cursor.u8()) != 0x0A:
            line.append(byte)
            if len(line) > 1 << 20:
                raise Malformed("a line without end", offset=self.offset)
        return bytes(line)

    def integer(self) -> int:
        line = self._line().strip()
        try:
            return -(1 << 31) if line == b"NA" else int(line[:20])
        except ValueError as error:
            raise Malformed(f"no integer: {quote(line, 40)}", offset=self.offset) from error

    def count(self, least: int) -> int:
        del least
        value = self.integer()
        if value < 0 or value > self.cursor.remaining:
            raise Malformed(f"a length of {value}, {self.cursor.remaining} bytes left", offset=self.offset, check="rds.length")
        return value

    def text(self, size: int) -> bytes:
        del size
        return self._line().decode("latin-1").encode("latin-1", "replace")

    def array(self, kind: int, count: int) -> None:
        for _ in range(count * (2 if kind == 15 else 1)):
            if not self.cursor.remaining:
                raise Malformed("a vector is cut short", offset=self.offset)
            self._line()
