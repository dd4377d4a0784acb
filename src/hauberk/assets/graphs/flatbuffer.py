"""A bounded walker over FlatBuffers: every offset, vtable and vector is checked against the file before it is followed."""

from collections import OrderedDict

from hauberk.assets.budget import Budget
from hauberk.assets.errors import Malformed, ReadError
from hauberk.core import Content, GapReason

_PAGE = 1 << 14
_PAGES = 64
_MAX_VECTOR = 1 << 28
_MAX_TABLES = 200_000


class Buffer:
    """Random access to one flatbuffer; `reached` is the end of the last byte that belongs to it."""

    __slots__ = ("_pages", "budget", "content", "reached", "size")

    def __init__(self, content: Content, budget: Budget) -> None:
        self.content = content
        self.budget = budget
        self.size = content.size
        self.reached = 8
        self._pages: OrderedDict[int, bytes] = OrderedDict()

    def read(self, offset: int, length: int, what: str = "a value") -> bytes:
        """`length` bytes at `offset`. Raises Malformed when they are not in the file."""
        if offset < 0 or length < 0 or offset + length > self.size:
            note = f"{what} at {offset} of {length} bytes in a file of {self.size}"
            raise Malformed(note, offset=max(0, min(offset, self.size)), check="flatbuffer.bounds")
        self.reached = max(self.reached, offset + length)
        page, at = divmod(offset, _PAGE)
        if at + length > _PAGE:
            return self.content.read(offset, length)
        data = self._pages.get(page)
        if data is None:
            self.budget.tick(64)
            data = self.content.read(page * _PAGE, _PAGE)
            self._pages[page] = data
            if len(self._pages) > _PAGES:
                self._pages.popitem(last=False)
        return data[at : at + length]

    def uint(self, offset: int, width: int, what: str = "a number") -> int:
        """An unsigned little-endian integer."""
        return int.from_bytes(self.read(offset, width, what), "little")

    def claim(self, offset: int, length: int, what: str) -> None:
        """Checks that `[offset, offset+length)` is in the file, without reading it."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise Malformed(f"{what} at {offset} of {length} bytes in a file of {self.size}", check="flatbuffer.bounds")
        self.reached = max(self.reached, offset + length)

    def root(self) -> "Table":
        """The root table."""
        return Table(self, self.uint(0, 4, "the root offset"))


class Table:
    """A table whose vtable has been checked. Fields are numbered from 0 in the order of the schema."""

    __slots__ = ("buffer", "fields", "offset", "size")

    def __init__(self, buffer: Buffer, offset: int) -> None:
        buffer.budget.tick()
        self.buffer = buffer
        self.offset = offset
        distance = int.from_bytes(buffer.read(offset, 4, "a table"), "little", signed=True)
        vtable = offset - distance
        length = buffer.uint(vtable, 2, "a vtable")
        self.size = buffer.uint(vtable + 2, 2, "a vtable")
        if length < 4 or length % 2 or self.size < 4:
            raise Malformed(f"a vtable of {length} bytes for a table of {self.size}", offset=offset, check="flatbuffer.vtable")
        buffer.claim(offset, self.size, "a table")
        raw = buffer.read(vtable + 4, length - 4, "a vtable")
        self.fields = [int.from_bytes(raw[i : i + 2], "little") for i in range(0, len(raw), 2)]
        if any(field and not 4 <= field < self.size for field in self.fields):
            raise Malformed("a field lies outside its table", offset=offset, check="flatbuffer.vtable")

    def place(self, number: int, width: int) -> int | None:
        """Where field `number` of `width` bytes is, None when it is left out."""
        if number >= len(self.fields) or not self.fields[number]:
            return None
        if self.fields[number] + width > self.size:
            raise Malformed("a field runs over the end of its table", offset=self.offset, check="flatbuffer.vtable")
        return self.offset + self.fields[number]

    def number(self, number: int, width: int, default: int = 0, *, signed: bool = False) -> int:
        """A scalar field."""
        at = self.place(number, width)
        return default if at is None else int.from_bytes(self.buffer.read(at, width), "little", signed=signed)

    def _follow(self, number: int) -> int | None:
        at = self.place(number, 4)
        return None if at is None else at + self.buffer.uint(at, 4, "an offset")

    def table(self, number: int) -> "Table | None":
        """A table field."""
        at = self._follow(number)
        return None if at is None else Table(self.buffer, at)

    def vector(self, number: int, width: int) -> tuple[int, int]:
        """Start and count of a vector of elements of `width` bytes; (0, 0) when it is left out."""
        at = self._follow(number)
        if at is None:
            return 0, 0
        count = self.buffer.uint(at, 4, "a vector")
        if count > _MAX_VECTOR:
            raise Malformed(f"a vector of {count} elements", offset=at, check="flatbuffer.bounds")
        self.buffer.claim(at + 4, count * width, "a vector")
        return at + 4, count

    def text(self, number: int, limit: int = 4096) -> str:
        """A string field, cut to `limit` bytes."""
        start, count = self.vector(number, 1)
        return self.buffer.read(start, min(count, limit)).decode("utf-8", "backslashreplace") if count else ""

    def tables(self, number: int) -> "list[Table]":
        """A vector of tables."""
        start, count = self.vector(number, 4)
        if count > _MAX_TABLES:
            raise ReadError(GapReason.TOO_LARGE, f"{count} tables in one vector", offset=start)
        return [Table(self.buffer, start + 4 * i + self.buffer.uint(start + 4 * i, 4)) for i in range(count)]

    def integers(self, number: int, limit: int = 1 << 20) -> list[int]:
        """A vector of int32, cut to `limit`."""
        start, count = self.vector(number, 4)
        raw = self.buffer.read(start, 4 * min(count, limit)) if count else b""
        return [int.from_bytes(raw[i : i + 4], "little", signed=True) for i in range(0, len(raw), 4)]
