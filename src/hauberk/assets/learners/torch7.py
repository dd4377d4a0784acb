"""Torch7 (Lua) serialisation, binary and ASCII: classes by name, and functions dumped as Lua bytecode."""

import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed, ReadError
from hauberk.assets.learners.loose_text import LUA, loose_facts
from hauberk.assets.quoting import quote
from hauberk.assets.tensors.metadata_text import metadata_facts
from hauberk.core import Asset, Content, Fact, Gap, GapReason

MAX_DEPTH = 120
HEAD = re.compile(
    rb"\x04\x00{3}.{4}\x03\x00{3}V \d|[\x01-\x08]\x00{3}.{4}|4[\n ]\d+[\n ]3[\n ]V \d|[1-8]\n-?\d+",
    re.DOTALL,
)
_PLAIN = {"Byte": 1, "Char": 1, "Short": 2, "Int": 4, "Long": 8, "Float": 4, "Double": 8, "Half": 2, "Cuda": 4}
_STORAGE = _PLAIN | {
    f"Cuda{name}": size
    for name, size in (("Byte", 1), ("Char", 1), ("Short", 2), ("Int", 4), ("Long", 8), ("Double", 8), ("Half", 2))
}
_ARRAY = re.compile(r"torch\.(\w+?)(Tensor|Storage)")
_KNOWN = re.compile(r"(?:torch|nn|cudnn|cunn|nngraph|graph|optim|inn|rnn|dpnn|image|tds|stn|fbnn|cltorch|clnn)\.\w+")
_RUNS = re.compile(
    rb"os|io|execute|popen|require|load(?:string|file)?|dofile|ffi|C|system|debug|package|loadlib|setfenv|getfenv|socket"
)
_WORDS = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts of a Torch7 file."""
    assert asset.content is not None
    if not HEAD.match(asset.content.read(0, 64)):
        yield from loose_facts(asset.content, budget, LUA)
        yield Gap(asset.uri, GapReason.UNSUPPORTED, "named as Torch7, but it does not start like one", kind=asset.kind)
        return
    head = asset.content.read(0, 16)
    tokens: _Binary | _Ascii = (
        _Ascii(asset.content) if head[:1].isdigit() and head[1:2] in {b"\n", b" ", b"\r"} else _Binary(asset.content)
    )
    yield from _Walk(tokens, budget).value(0)
    left = asset.content.size - tokens.offset
    if left > 2:
        yield Gap(
            asset.uri, GapReason.UNDECIDED, f"{left} bytes behind the object are not read", kind=asset.kind, offset=tokens.offset
        )


class _Binary:
    """Little-endian numbers."""

    def __init__(self, content: Content) -> None:
        self.cursor = Cursor(content)

    @property
    def offset(self) -> int:
        return self.cursor.offset

    def integer(self) -> int:
        return self.cursor.sint(4)

    def long(self) -> int:
        return self.cursor.sint(8)

    def number(self) -> None:
        self.cursor.skip(8)

    def text(self) -> bytes:
        size = self.integer()
        if size < 0:
            raise Malformed("a text of negative length", offset=self.offset, check="torch7.length")
        return self.cursor.take(size)

    def array(self, count: int, width: int) -> None:
        self.cursor.skip(count * width)


class _Ascii:
    """The same, a number a line."""

    def __init__(self, content: Content) -> None:
        self.cursor = Cursor(content)

    @property
    def offset(self) -> int:
        return self.cursor.offset

    def _token(self) -> bytes:
        token = bytearray()
        while self.cursor.remaining and (byte := self.cursor.u8()):
            if byte in b" \n\r\t":
                if token:
                    break
                continue
            token.append(byte)
            if len(token) > 64:
                break
        return bytes(token)

    def integer(self) -> int:
        token = self._token()
        try:
            return int(token[:24])
        except ValueError as error:
            raise Malformed(f"no integer: {quote(token, 40)}", offset=self.offset) from error

    long = integer

    def number(self) -> None:
        if not self._token():
            raise Malformed("no number", offset=self.offset)

    def text(self) -> bytes:
        size = self.integer()
        if size < 0:
            raise Malformed("a text of negative length", offset=self.offset, check="torch7.length")
        return self.cursor.take(size)

    def array(self, count: int, width: int) -> None:
        del width
        if count > self.cursor.remaining:
            raise Malformed(f"{count} numbers in {self.cursor.remaining} bytes", offset=self.offset)
        for _ in range(count):
            self.number()


class _Walk:
    def __init__(self, tokens: _Binary | _Ascii, budget: Budget) -> None:
        self.tokens = tokens
        self.budget = budget
        self.seen: set[int] = set()

    def value(self, depth: int) -> Iterator[Fact]:
        """One object and everything in it."""
        self.budget.tick(256)
        if depth > MAX_DEPTH:
            raise ReadError(
                GapReason.TOO_DEEP, f"nested more than {MAX_DEPTH} deep", offset=self.tokens.offset, check="torch7.too-deep"
            )
        start, kind = self.tokens.offset, self.tokens.integer()
        if kind == 1:
            self.tokens.number()
        elif kind == 2:
            yield from metadata_facts(self.tokens.text().decode("utf-8", "replace"), "text", start)
        elif kind == 5:
            self.tokens.integer()
        elif kind in {3, 4, 6, 7, 8}:
            index = self.tokens.integer()
            if index not in self.seen:
                self.seen.add(index)
                yield from self._new(kind, start, depth)
        elif kind != 0:
            raise Malformed(f"no Torch7 type {kind}", offset=start)

    def _new(self, kind: int, start: int, depth: int) -> Iterator[Fact]:
        if kind == 3:
            yield from self._table(depth)
        elif kind == 4:
            yield from self._object(start, depth)
        else:
            code = self.tokens.text()
            words = {word.group() for word in _WORDS.finditer(code) if _RUNS.fullmatch(word.group())}
            named = ", ".join(sorted(word.decode() for word in words))
            note = f"a Lua function is stored as bytecode; it names {named or 'nothing that reaches outside'}"
            yield Fact(
                "torch7.function", note, offset=start, quote=quote(code, 80), attrs={"reaches": bool(words), "size": len(code)}
            )
            yield from self.value(depth + 1)  # the values it closes over

    def _table(self, depth: int) -> Iterator[Fact]:
        count = self.tokens.integer()
        if count < 0:
            raise Malformed("a table of negative size", offset=self.tokens.offset, check="torch7.length")
        for _ in range(count):
            yield from self.value(depth + 1)
            yield from self.value(depth + 1)

    def _object(self, start: int, depth: int) -> Iterator[Fact]:
        name = self.tokens.text()
        if name.startswith(b"V "):
            name = self.tokens.text()
        label = name.decode("utf-8", "replace")
        array = _ARRAY.fullmatch(label)
        if array and array[1] in _STORAGE:
            yield from self._array(array[1], array[2], start, depth)
            return
        if not _KNOWN.fullmatch(label):
            yield Fact(
                "torch7.class",
                f"an object of the class {quote(label, 80)}",
                offset=start,
                quote=quote(label),
                attrs={"name": label[:200]},
            )
        yield from self.value(depth + 1)

    def _array(self, element: str, what: str, start: int, depth: int) -> Iterator[Fact]:
        if what == "Storage":
            count = self.tokens.long()
            if count < 0:
                raise Malformed("a storage of negative size", offset=start, check="torch7.length")
            self.tokens.array(count, _STORAGE[element])
            return
        rank = self.tokens.integer()
        if not 0 <= rank <= 64:
            raise Malformed(f"a tensor of {rank} dimensions", offset=start, check="torch7.length")
        shape = [self.tokens.long() for _ in range(2 * rank)][:rank]
        offset = self.tokens.long()
        if offset < 0 or any(size < 0 for size in shape):
            yield Fact("torch7.tensor", f"a tensor of shape {shape} at {offset}", offset=start, quote=quote(str(shape), 80))
        yield from self.value(depth + 1)
