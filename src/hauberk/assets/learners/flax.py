"""MessagePack as Flax writes it: a tree of arrays. Walked without a stack of our own language and without building values."""

from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.content import SliceContent
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed, ReadError, Truncated
from hauberk.assets.native.payload_magic import payload_kind
from hauberk.assets.quoting import quote
from hauberk.assets.tensors.metadata_text import metadata_facts
from hauberk.core import Asset, Fact, Gap, GapReason
from hauberk.core.asset import Scalar

Item = Fact | Asset | Gap

MAX_DEPTH = 256
_HOOKS = frozenset({
    "__reduce__", "__reduce_ex__", "__setstate__", "__class__", "__module__", "__import__", "__globals__", "__builtins__",
    "__init__", "__call__", "__code__", "__getattr__", "__pickle__", "restore_fn", "_target_", "deserialize_fn", "apply_fn",
})  # fmt: skip
_SIZES = {"bool": 1, "int8": 1, "uint8": 1, "float16": 2, "bfloat16": 2, "int16": 2, "uint16": 2, "float32": 4, "int32": 4,
          "uint32": 4, "float64": 8, "int64": 8, "uint64": 8, "complex64": 8, "complex128": 16}  # fmt: skip
_FIXED = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8, 0xC0: 0, 0xC2: 0, 0xC3: 0}
_TEXTS = {0xD9: 1, 0xDA: 2, 0xDB: 4}
_BLOBS = {0xC4: 1, 0xC5: 2, 0xC6: 4}
_EXTENSIONS = {0xC7: 1, 0xC8: 2, 0xC9: 4}


def read(asset: Asset, budget: Budget) -> Iterator[Item]:
    """Facts of a MessagePack document."""
    assert asset.content is not None
    walk = _Walk(asset, budget)
    yield from walk.run()
    left = walk.cursor.remaining
    if left:
        head = asset.content.read(walk.cursor.offset, 512)
        kind = payload_kind(head, left)
        note = f"{left} bytes behind the document"
        yield Fact(
            "msgpack.trailing", note, offset=walk.cursor.offset, quote=quote(head, 60), attrs={"payload": kind, "size": left}
        )
        yield asset.child("trailing", SliceContent(asset.content, walk.cursor.offset, left))


class _Walk:
    def __init__(self, asset: Asset, budget: Budget) -> None:
        assert asset.content is not None
        self.asset = asset
        self.budget = budget
        self.cursor = Cursor(asset.content)
        self.hook = ""

    def run(self) -> Iterator[Item]:
        """One value and everything in it. A frame is [values left, is a map]; in a map, keys are at even counts."""
        frames: list[list[int]] = [[1, 0]]
        while frames:
            left, is_map = frames[-1]
            if left == 0:
                frames.pop()
                continue
            frames[-1][0] -= 1
            self.budget.tick()
            key = bool(is_map) and left % 2 == 0
            opened: list[list[int]] = []
            yield from self._value(key, opened)
            frames.extend(opened)
            if len(frames) > MAX_DEPTH:
                note = f"nested more than {MAX_DEPTH} deep"
                raise ReadError(GapReason.TOO_DEEP, note, offset=self.cursor.offset, check="msgpack.too-deep")

    def _value(self, key: bool, opened: list[list[int]]) -> Iterator[Item]:  # noqa: FBT001
        start = self.cursor.offset
        tag = self.cursor.u8()
        container = self._container(tag)
        if container is not None:
            count, is_map = container
            if count > self.cursor.remaining:
                raise Truncated(f"{count} values in {self.cursor.remaining} bytes", offset=start, check="msgpack.count")
            opened.append([count * 2 if is_map else count, is_map])
        elif 0xA0 <= tag <= 0xBF or tag in _TEXTS:
            yield from self._text(self._length(tag, _TEXTS, 0x1F), start, key=key)
        elif tag in _BLOBS:
            yield from self._blob(self.cursor.uint(_BLOBS[tag], big=True), start, key=key)
        elif tag in _EXTENSIONS or 0xD4 <= tag <= 0xD8:
            size = self.cursor.uint(_EXTENSIONS[tag], big=True) if tag in _EXTENSIONS else 1 << (tag - 0xD4)
            yield from self._extension(self.cursor.u8(), size, start)
        elif tag in _FIXED:
            self.cursor.skip(_FIXED[tag])
        elif tag == 0xC1:
            raise Malformed("a byte MessagePack never uses", offset=start)

    def _container(self, tag: int) -> tuple[int, int] | None:
        if 0x80 <= tag <= 0x8F:
            return tag & 15, 1
        if 0x90 <= tag <= 0x9F:
            return tag & 15, 0
        if tag in {0xDC, 0xDD, 0xDE, 0xDF}:
            return self.cursor.uint(2 if tag in {0xDC, 0xDE} else 4, big=True), int(tag >= 0xDE)
        return None

    def _length(self, tag: int, table: dict[int, int], mask: int) -> int:
        return self.cursor.uint(table[tag], big=True) if tag in table else tag & mask

    def _take(self, size: int, start: int) -> bytes:
        if size > self.cursor.remaining:
            note = f"a value of {size} bytes, {self.cursor.remaining} left"
            raise Truncated(note, offset=start, check="msgpack.length")
        head = self.cursor.take(min(size, 1 << 16))
        self.cursor.skip(size - len(head))
        return head

    def _text(self, size: int, start: int, *, key: bool) -> Iterator[Fact]:
        text = self._take(size, start).decode("utf-8", "replace")
        yield from self._said(text, start, key=key)

    def _said(self, text: str, start: int, *, key: bool) -> Iterator[Fact]:
        if key:
            self.hook = text if text in _HOOKS else ""
            if text.startswith("__") and text in _HOOKS:
                yield Fact("msgpack.hook-key", f"the key {text} names a Python hook", offset=start, where="key", quote=quote(text))
        elif self.hook:
            attrs: dict[str, Scalar] = {"module": "", "name": text if "." in text else f"builtins.{text}", "how": "hook"}
            note = f"{self.hook} names {quote(text, 60)}"
            yield Fact("msgpack.hook", note, offset=start, where=self.hook, quote=quote(text), attrs=attrs)
            self.hook = ""
        yield from metadata_facts(text, "key" if key else "value", start)

    def _blob(self, size: int, start: int, *, key: bool) -> Iterator[Item]:
        head = self._take(size, start)
        kind = payload_kind(head[:512], size)
        if kind or (size > 2 and head[0] == 0x80 and head[1] in range(2, 6) and head.rstrip(b"\n").endswith(b".")):
            note = f"a byte string holds a {kind or 'pickle'}"
            yield Fact("msgpack.payload", note, offset=start, quote=quote(head, 60), attrs={"payload": kind or "pickle"})
            yield self.asset.child(f"bytes@{start}", SliceContent(self.cursor.content, self.cursor.offset - size, size))
        elif size <= 4096 and head.isascii():
            yield from self._said(head.decode("ascii"), start, key=key)

    def _extension(self, code: int, size: int, start: int) -> Iterator[Item]:
        if size > self.cursor.remaining:
            note = f"an extension of {size} bytes, {self.cursor.remaining} left"
            raise Truncated(note, offset=start, check="msgpack.length")
        end = self.cursor.offset + size
        if code in {1, 3} and size:
            yield from self._array(Cursor(self.cursor.content, self.cursor.offset, end), start)
        elif code not in {1, 2, 3}:
            yield Fact("msgpack.extension", f"an extension of type {code}", offset=start, attrs={"code": code, "size": size})
        self.cursor.skip(size)

    def _array(self, cursor: Cursor, start: int) -> Iterator[Item]:
        """(shape, dtype, bytes): the bytes must be as many as the shape says."""
        try:
            header = _array_header(cursor)
        except ReadError as error:
            yield Fact("msgpack.array", f"an array that cannot be read: {error.note}", offset=start)
            yield Gap(self.asset.uri, GapReason.MALFORMED, f"array at {start}: {error.note}", offset=start)
            return
        shape, dtype, size, offset = header
        wanted = _SIZES.get(dtype, 0)
        for dimension in shape:
            wanted *= dimension
        if dtype in {"object", "O", "|O"} or dtype not in _SIZES:
            yield Fact(
                "msgpack.dtype", f"an array of {quote(dtype, 40)}", offset=start, quote=quote(dtype), attrs={"dtype": dtype[:40]}
            )
        elif wanted != size:
            note = f"shape {shape[:8]} of {dtype} is {wanted} bytes, {size} are there"
            yield Fact("msgpack.array-size", note, offset=start, quote=quote(note))
        kind = payload_kind(cursor.content.read(offset, min(size, 512)), size)
        if kind and kind != "gzip":
            note = f"an array begins like a {kind}"
            yield Fact("msgpack.payload", note, offset=offset, attrs={"payload": kind, "array": True})
            yield self.asset.child(f"array@{offset}", SliceContent(cursor.content, offset, size))


def _array_header(cursor: Cursor) -> tuple[list[int], str, int, int]:
    if cursor.u8() != 0x93:
        raise Malformed("no triple of shape, type and bytes", offset=cursor.offset)
    tag = cursor.u8()
    count = tag & 15 if 0x90 <= tag <= 0x9F else -1
    if count < 0:
        raise Malformed("no shape", offset=cursor.offset)
    shape = [_integer(cursor) for _ in range(count)]
    tag = cursor.u8()
    dtype = cursor.take(cursor.uint(_TEXTS[tag], big=True) if tag in _TEXTS else tag & 0x1F).decode("utf-8", "replace")
    tag = cursor.u8()
    if tag not in _BLOBS:
        raise Malformed("no bytes", offset=cursor.offset)
    size = cursor.uint(_BLOBS[tag], big=True)
    if size > cursor.remaining:
        raise Truncated(f"{size} bytes of data, {cursor.remaining} left", offset=cursor.offset)
    return shape, dtype, size, cursor.offset


def _integer(cursor: Cursor) -> int:
    tag = cursor.u8()
    if tag < 0x80:
        return tag
    if 0xCC <= tag <= 0xCF:
        return cursor.uint(1 << (tag - 0xCC), big=True)
    raise Malformed("a dimension is no natural number", offset=cursor.offset)
