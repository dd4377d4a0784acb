"""R's serialisation (.rds, .rda): expression types are walked, nothing is evaluated.

A promise in the stream is evaluated by R itself when it is first touched (CVE-2024-27322).
"""

import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed, ReadError
from hauberk.assets.learners.loose_text import R, loose_facts
from hauberk.assets.learners.rds_tokens import AsciiTokens, NativeTokens, Tokens, XdrTokens
from hauberk.assets.quoting import quote
from hauberk.assets.tensors.metadata_text import metadata_facts
from hauberk.core import Asset, Fact, Gap, GapReason

MAX_DEPTH = 150
HEAD = re.compile(rb"RD[XAB][23]\n|X\n\x00{3}[\x02\x03]|A\n[23]\n|B\n[\x02\x03]\x00{3}")
_MAGIC = (b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n", b"RDB2\n", b"RDB3\n")
_NOTHING = frozenset({254, 253, 252, 251, 250, 242, 241})
_HAS_ATTRIBUTES, _HAS_TAG = 0x200, 0x400
_RUNS = frozenset({
    ".C", ".Call", ".External", "Sys.setenv", "browseURL", "delayedAssign", "do.call", "download.file", "dyn.load", "eval", "evalq",
    "file.remove", "get", "install.packages", "library.dynam", "load", "loadNamespace", "parse", "pipe", "readRDS", "reg.finalizer",
    "shell", "shell.exec", "socketConnection", "source", "sys.source", "system", "system2", "unlink", "unserialize", "url",
    "writeLines",
})  # fmt: skip
_COMMANDS = frozenset({
    "system", "system2", "shell", "shell.exec", "source", "sys.source", "dyn.load", "download.file", "socketConnection", "pipe",
    "install.packages", "unlink", "file.remove", "browseURL",
})  # fmt: skip


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts of a serialised R object."""
    assert asset.content is not None
    if not HEAD.match(asset.content.read(0, 16)):
        yield from loose_facts(asset.content, budget, R)
        yield Gap(asset.uri, GapReason.UNSUPPORTED, "named as an R object, but it does not start like one", kind=asset.kind)
        return
    cursor = Cursor(asset.content, 5 if asset.content.read(0, 5) in _MAGIC else 0)
    walk = _Walk(_tokens(cursor), budget)
    try:
        walk.header()
        yield from walk.item(0, "")
    except Malformed:
        yield from loose_facts(asset.content, budget, R)
        raise
    if cursor.remaining > 1:
        note = f"{cursor.remaining} bytes behind the object are not read"
        yield Gap(asset.uri, GapReason.UNDECIDED, note, kind=asset.kind, offset=cursor.offset)


def _tokens(cursor: Cursor) -> Tokens:
    form = cursor.take(2)
    makers = {b"X\n": XdrTokens, b"A\n": AsciiTokens, b"B\n": NativeTokens}
    if form not in makers:
        raise Malformed("no R serialisation", offset=0)
    return makers[form](cursor)


class _Walk:
    def __init__(self, tokens: Tokens, budget: Budget) -> None:
        self.tokens = tokens
        self.budget = budget
        self.symbols: list[str] = []
        self.last = ""

    def header(self) -> None:
        """Version, writer, oldest reader; in version 3 the native encoding."""
        version = self.tokens.integer()
        if version not in {2, 3}:
            raise Malformed(f"serialisation version {version}", offset=self.tokens.offset)
        self.tokens.integer()
        self.tokens.integer()
        if version == 3:
            self.tokens.text(self.tokens.integer())

    def item(self, depth: int, place: str) -> Iterator[Fact]:
        """One object. `self.last` is the symbol's name if it was one."""
        self.last = ""
        self.budget.tick(256)
        if depth > MAX_DEPTH:
            raise ReadError(
                GapReason.TOO_DEEP, f"nested more than {MAX_DEPTH} deep", offset=self.tokens.offset, check="rds.too-deep"
            )
        flags = self.tokens.integer()
        kind = flags & 0xFF
        if kind in _NOTHING:
            return
        if kind in {2, 3, 5, 6, 17, 239, 240}:
            yield from self._pairs(kind, flags, depth, place)
        elif kind in {247, 248, 249}:
            yield from self._names(depth)
        else:
            yield from self._other(kind, flags, depth, place)

    def _other(self, kind: int, flags: int, depth: int, place: str) -> Iterator[Fact]:
        if kind == 1:
            yield from self.item(depth + 1, place)
            self.symbols.append(self.last)
        elif kind == 255:
            index = flags >> 8 or self.tokens.integer()
            self.last = self.symbols[index - 1] if 0 < index <= len(self.symbols) else ""
        elif kind == 9:
            yield from self._text()
        elif kind == 4:
            self.tokens.integer()
            self.symbols.append("")
            yield from self._several(4, depth, "environment")
        elif kind in {7, 8}:
            self.tokens.text(self.tokens.integer())
        elif kind == 21:
            yield from self._bytecode(depth, place)
            yield from self._attributes(flags, depth)
        elif kind in {22, 23, 25, 238}:
            yield from self._special(kind, flags, depth)
        else:
            yield from self._vector(kind, depth, place)
            yield from self._attributes(flags, depth)
            self.last = ""

    def _special(self, kind: int, flags: int, depth: int) -> Iterator[Fact]:
        if kind in {22, 23}:
            self.symbols.append("")
        if kind == 22:
            yield from self._several(2, depth, "pointer")
        if kind == 238:
            yield from self._several(3, depth, "compact")
        else:
            yield from self._attributes(flags, depth)
        self.last = ""

    def _several(self, count: int, depth: int, place: str) -> Iterator[Fact]:
        for _ in range(count):
            yield from self.item(depth + 1, place)
        self.last = ""

    def _attributes(self, flags: int, depth: int) -> Iterator[Fact]:
        if flags & _HAS_ATTRIBUTES:
            yield from self.item(depth + 1, "attribute")

    def _text(self) -> Iterator[Fact]:
        start, size = self.tokens.offset, self.tokens.integer()
        text = self.tokens.text(size).decode("utf-8", "replace") if size >= 0 else ""
        if len(text) >= 8:
            yield from metadata_facts(text, "text", start)
        self.last = text[:200]

    def _names(self, depth: int) -> Iterator[Fact]:
        self.tokens.integer()
        yield from self._several(self.tokens.count(4), depth, "name")
        self.symbols.append("")

    def _vector(self, kind: int, depth: int, place: str) -> Iterator[Fact]:
        if kind in {10, 13, 14, 15, 24}:
            self.tokens.array(kind, self.tokens.count(1))
        elif kind in {16, 19, 20}:
            count = self.tokens.count(4)
            if kind == 20 and count:
                yield Fact("rds.expression", "a vector of unevaluated expressions", offset=self.tokens.offset, where=place)
            for _ in range(count):
                yield from self.item(depth + 1, place)
        else:
            raise Malformed(f"no R type {kind}", offset=self.tokens.offset)

    def _pairs(self, kind: int, flags: int, depth: int, place: str) -> Iterator[Fact]:
        """A pair list, call, closure or promise; the tail of a list is followed without going deeper."""
        while True:
            start = self.tokens.offset
            if flags & _HAS_ATTRIBUTES:
                yield from self.item(depth + 1, "attribute")
            if flags & _HAS_TAG:
                yield from self.item(depth + 1, "tag")
            if kind == 5:
                attrs: dict[str, str | int | float | bool] = {"place": place or "top", "depth": depth}
                note = "a promise: R evaluates its expression when the value is first used"
                yield Fact(
                    "rds.promise", note, offset=start, where=place or "top", quote=f"promise in {place or 'top'}", attrs=attrs
                )
            inner = "promise" if kind == 5 else "closure" if kind == 3 else place
            yield from self.item(depth + 1, inner)
            if kind in {6, 240}:
                yield from self._call(start, place)
            flags = self.tokens.integer()
            kind = flags & 0xFF
            self.budget.tick(256)
            if kind not in {2, 239}:
                yield from self._tail(kind, flags, depth, inner)
                return

    def _tail(self, kind: int, flags: int, depth: int, place: str) -> Iterator[Fact]:
        if kind in {3, 5, 6, 17, 240}:
            if depth >= MAX_DEPTH:
                raise ReadError(
                    GapReason.TOO_DEEP, f"nested more than {MAX_DEPTH} deep", offset=self.tokens.offset, check="rds.too-deep"
                )
            yield from self._pairs(kind, flags, depth + 1, place)
        elif kind in {247, 248, 249}:
            yield from self._names(depth)
        elif kind not in _NOTHING:
            yield from self._other(kind, flags, depth, place)
        self.last = ""

    def _call(self, start: int, place: str) -> Iterator[Fact]:
        name = self.last
        if name in _RUNS:
            where = place or "top"
            note = f"an unevaluated call of {name}"
            attrs: dict[str, str | int | float | bool] = {"name": name, "place": where, "command": name in _COMMANDS}
            yield Fact("rds.call", note, offset=start, where=where, quote=quote(f"{name} in {where}"), attrs=attrs)

    def _bytecode(self, depth: int, place: str) -> Iterator[Fact]:
        repeats = self.tokens.integer()
        if repeats < 0:
            raise Malformed("bytecode with a negative count", offset=self.tokens.offset)
        yield from self._code(depth, place)

    def _code(self, depth: int, place: str) -> Iterator[Fact]:
        if depth > MAX_DEPTH:
            raise ReadError(
                GapReason.TOO_DEEP, f"nested more than {MAX_DEPTH} deep", offset=self.tokens.offset, check="rds.too-deep"
            )
        yield from self.item(depth + 1, place)
        for _ in range(self.tokens.count(4)):
            kind = self.tokens.integer()
            if kind == 21:
                yield from self._code(depth + 1, place)
            elif kind in {2, 6, 239, 240, 243, 244}:
                yield from self._language(kind, depth + 1, place)
            else:
                yield from self.item(depth + 1, place)

    def _language(self, kind: int, depth: int, place: str) -> Iterator[Fact]:
        """Calls among the constants of bytecode, which have a coding of their own."""
        self.budget.tick(256)
        if depth > MAX_DEPTH:
            raise ReadError(
                GapReason.TOO_DEEP, f"nested more than {MAX_DEPTH} deep", offset=self.tokens.offset, check="rds.too-deep"
            )
        if kind == 243:
            self.tokens.integer()
            return
        if kind == 244:
            self.tokens.integer()
            kind = self.tokens.integer()
        if kind not in {2, 6, 239, 240}:
            yield from self.item(depth + 1, place)
            return
        start = self.tokens.offset
        if kind in {239, 240}:
            yield from self.item(depth + 1, "attribute")
        yield from self.item(depth + 1, "tag")
        self.last = ""
        yield from self._language(self.tokens.integer(), depth + 1, place)
        if kind in {6, 240}:
            yield from self._call(start, place)
        yield from self._language(self.tokens.integer(), depth + 1, place)
        self.last = ""
