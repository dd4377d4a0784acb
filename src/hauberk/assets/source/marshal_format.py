"""The marshal format, Python 2.3 to 3.14, read into inert values. Never `marshal.loads`: it may crash on hostile bytes."""

import struct
from collections.abc import Callable
from enum import Enum
from typing import cast

import msgspec

from hauberk.assets.budget import Budget
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed, ReadError
from hauberk.core import GapReason

MAX_DEPTH = 120
MAX_CODES = 20_000
_FLAG_REF = 0x80


class Layout(Enum):
    """How a code object is laid out: the counters before its strings, and whether fast locals are one tuple."""

    PY311 = (5, True)
    PY38 = (6, False)
    PY30 = (5, False)
    PY2 = (4, False)

    @property
    def counters(self) -> int:
        """Number of 32-bit counters in front of the bytecode."""
        return self.value[0]

    @property
    def merged(self) -> bool:
        """Whether names of locals, cells and free variables are one tuple."""
        return self.value[1]


class Code(msgspec.Struct):
    """A code object: what it is called, its bytecode, and what the bytecode may name."""

    name: str
    filename: str
    layout: Layout
    bytecode: bytes
    constants: tuple[object, ...]
    names: tuple[str, ...]
    locals: tuple[str, ...]
    closure: tuple[str, ...]
    offset: int


_ASCII = {0x61: 4, 0x41: 4, 0x7A: 1, 0x5A: 1}  # a A z Z: type -> width of the length
_SIMPLE: dict[int, object] = {0x4E: None, 0x46: False, 0x54: True, 0x53: None, 0x2E: None}  # N F T S .
_SEQUENCES = {0x28: 4, 0x5B: 4, 0x29: 1, 0x3C: 4, 0x3E: 4}  # ( [ ) < >


class _End:
    """What the NULL type reads as: it ends a dict."""


_END = _End()


class MarshalReader:
    """Reads one value. `codes` then holds every code object in it; other values are kept only inside code objects."""

    def __init__(self, cursor: Cursor, layout: Layout, budget: Budget) -> None:
        self.cursor = cursor
        self.layout = layout
        self.budget = budget
        self.codes: list[Code] = []
        self._refs: list[object] = []
        self._interned: list[str] = []
        self._inside = 0  # code objects we are in
        self._depth = 0

    def value(self) -> object:
        """The next value. Raises ReadError."""
        self.budget.tick()
        start = self.cursor.offset
        tag = self.cursor.u8()
        kind = tag & ~_FLAG_REF
        slot = -1
        if tag & _FLAG_REF:
            slot = len(self._refs)
            self._refs.append(None)
        value = self._of(kind, start)
        if slot >= 0:
            self._refs[slot] = value
        return value

    def _of(self, kind: int, start: int) -> object:
        if kind in _SIMPLE:
            return _SIMPLE[kind]
        if kind in _ASCII:
            return self._text(_ASCII[kind])
        if kind in _SEQUENCES:
            return self._nested(lambda: self._sequence(_SEQUENCES[kind]))
        reader = _READERS.get(kind)
        if reader is None:
            raise Malformed(f"unknown marshal type 0x{kind:02x}", offset=start)
        if kind == 0x63:
            return self._nested(lambda: self._code(start))
        return self._nested(lambda: reader(self)) if kind in {0x7B, 0x3A} else reader(self)

    def _nested(self, read: Callable[[], object]) -> object:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ReadError(GapReason.TOO_DEEP, f"marshal nested more than {MAX_DEPTH} deep", check="bytecode.too-deep")
        value = read()
        self._depth -= 1
        return value

    def _sequence(self, width: int) -> object:
        count = self.cursor.uint(width)
        if count > self.cursor.remaining:
            raise Malformed(f"{count} elements in {self.cursor.remaining} bytes", offset=self.cursor.offset)
        if not self._inside:
            for _ in range(count):
                self.value()
            return None
        return tuple(self.value() for _ in range(count))

    def dict(self) -> object:
        """Pairs until NULL; not kept."""
        while not isinstance(self.value(), _End):
            self.value()
        return None

    def slice(self) -> object:
        """Three values; not kept."""
        for _ in range(3):
            self.value()
        return None

    def bytes(self) -> bytes:
        """A byte string with a 32-bit length."""
        return self.cursor.take(self.cursor.uint(4))

    def _text(self, width: int) -> str:
        return self.cursor.take(self.cursor.uint(width)).decode("latin-1")

    def unicode(self) -> str:
        """A UTF-8 string with a 32-bit length."""
        return self.bytes().decode("utf-8", "replace")

    def interned(self) -> str:
        """An interned string; Python 2 refers to it later by number."""
        text = self.bytes().decode("utf-8", "replace")
        self._interned.append(text)
        return text

    def string_ref(self) -> str:
        """A Python 2 reference to an interned string."""
        index = self.cursor.uint(4)
        if index >= len(self._interned):
            raise Malformed("a reference to a string that is not there", offset=self.cursor.offset)
        return self._interned[index]

    def ref(self) -> object:
        """A reference to an earlier value."""
        index = self.cursor.uint(4)
        if index >= len(self._refs):
            raise Malformed("a reference to a value that is not there", offset=self.cursor.offset)
        return self._refs[index]

    def long(self) -> object:
        """A big integer in 15-bit digits; only small ones are kept."""
        count = abs(self.cursor.sint(4))
        self.cursor.skip(2 * count)

    def _code(self, start: int) -> Code:
        self._inside += 1
        for _ in range(self.layout.counters):
            if self.cursor.uint(4) > 1 << 30:
                raise Malformed("a counter of a code object is absurd", offset=start)
        bytecode, constants, names = self.value(), self.value(), _texts(self.value())
        fast, cells = _texts(self.value()), self.value()
        if not isinstance(bytecode, bytes) or not isinstance(constants, tuple) or names is None or fast is None:
            raise Malformed("no code object of this layout", offset=start)
        if self.layout.merged:
            closure: tuple[str, ...] | None = ()
            merged_ok = isinstance(cells, bytes)
        else:
            free, cell = _texts(cells), _texts(self.value())
            closure = None if free is None or cell is None else (*cell, *free)
            merged_ok = True
        filename, name = _as_text(self.value()), _as_text(self.value())
        if closure is None or not merged_ok or filename is None or name is None:
            raise Malformed("no code object of this layout", offset=start)
        self._tail(start)
        self._inside -= 1
        kept = cast("tuple[object, ...]", constants)
        code = Code(name, filename, self.layout, bytecode, kept, names, fast, closure, start)
        if len(self.codes) >= MAX_CODES:
            raise ReadError(GapReason.TOO_LARGE, f"more than {MAX_CODES} code objects")
        self.codes.append(code)
        return code

    def _tail(self, start: int) -> None:
        if self.layout.merged:
            qualified = _as_text(self.value())
            self.cursor.skip(4)
            lines, exceptions = self.value(), self.value()
            if qualified is None or not isinstance(lines, bytes) or not isinstance(exceptions, bytes):
                raise Malformed("no code object of this layout", offset=start)
        else:
            self.cursor.skip(4)
            if not isinstance(self.value(), bytes | str):
                raise Malformed("no code object of this layout", offset=start)


def _as_text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else None


def _texts(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, tuple):
        return None
    values: list[object] = list(cast("tuple[object, ...]", value))
    found = tuple(text for text in map(_as_text, values) if text is not None)
    return found if len(found) == len(values) else None


_DOUBLE = struct.Struct("<d")
_READERS: dict[int, Callable[[MarshalReader], object]] = {
    0x30: lambda _: _END,  # 0
    0x69: lambda r: r.cursor.sint(4),  # i
    0x49: lambda r: r.cursor.sint(8),  # I
    0x66: lambda r: r.cursor.take(r.cursor.u8()),  # f
    0x67: lambda r: r.cursor.unpack(_DOUBLE)[0],  # g
    0x78: lambda r: (r.cursor.take(r.cursor.u8()), r.cursor.take(r.cursor.u8())),  # x
    0x79: lambda r: r.cursor.take(16),  # y
    0x6C: MarshalReader.long,  # l
    0x73: MarshalReader.bytes,  # s
    0x74: MarshalReader.interned,  # t
    0x75: MarshalReader.unicode,  # u
    0x52: MarshalReader.string_ref,  # R
    0x72: MarshalReader.ref,  # r
    0x63: lambda _: None,  # c, read by the reader itself
    0x7B: MarshalReader.dict,  # {
    0x3A: MarshalReader.slice,  # :
}
