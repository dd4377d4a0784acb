"""The header of a GGUF file: key-value pairs and tensor records, read forward and bounded.

Arrays are walked, not kept: a vocabulary of a million tokens costs its bytes once and no list of strings.
"""

import struct
from collections.abc import Callable, Iterator

import msgspec

from hauberk.assets.budget import Budget
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed, ReadError, Truncated
from hauberk.assets.tensors.gguf_types import ARRAY, STRING, VALUE_SIZES, VALUE_TYPES
from hauberk.core import Content, GapReason

SMALLEST = 24  # magic, version and two counts of the smallest file a loader takes
LONGEST_KEY = 65_535
MOST_PAIRS = 100_000
MOST_TENSORS = 500_000
KEPT = 4096  # bytes of a string value kept in memory
_WINDOW = 1 << 20


class Value(msgspec.Struct, frozen=True):
    """The value of a key: a scalar, or where its string or array lies."""

    key: str
    type: int
    at: int  # offset of the value's first byte
    scalar: int | float | None = None
    element: int = -1  # element type of an array
    count: int = 0  # elements of an array
    start: int = 0  # data of a string or array: `[start, end)`
    end: int = 0
    head: bytes = b""  # the first bytes of a string

    @property
    def integer(self) -> int | None:
        """The value as an integer, None when it is anything else."""
        return self.scalar if isinstance(self.scalar, int) else None

    @property
    def text(self) -> str:
        """The kept beginning of a string."""
        return self.head.decode("utf-8", "replace")


class TensorRecord(msgspec.Struct, frozen=True):
    """What the header says of one tensor, unchecked."""

    name: bytes
    dims: tuple[int, ...]
    type: int
    offset: int  # from the start of the data section
    at: int  # offset of the record in the file


class Layout(msgspec.Struct, frozen=True):
    """Version and byte order of a file: how wide its counts are and how its numbers read."""

    version: int
    big: bool

    @property
    def width(self) -> int:
        """Bytes of a count or length: 4 in version 1, 8 since."""
        return 4 if self.version == 1 else 8

    @property
    def order(self) -> str:
        """The struct module's sign for the byte order."""
        return ">" if self.big else "<"

    @property
    def length(self) -> struct.Struct:
        """A count or length."""
        return struct.Struct(self.order + ("I" if self.width == 4 else "Q"))


def read_layout(cursor: Cursor) -> Layout:
    """Magic and version. Raises Malformed (`gguf.version`, `gguf.truncated`)."""
    if cursor.remaining < 8:
        raise Truncated("shorter than magic and version", offset=cursor.offset, check="gguf.truncated")
    magic = cursor.take(4)
    raw = cursor.take(4)
    little, large = int.from_bytes(raw, "little"), int.from_bytes(raw, "big")
    big = little & 0xFFFF == 0 and 1 <= large <= 3
    version = large if big else little
    if magic != b"GGUF" or not 1 <= version <= 3:
        raise Malformed(f"version {version} is none that was ever published", offset=4, check="gguf.version")
    if cursor.end < SMALLEST - (8 if version == 1 else 0):
        raise Truncated("shorter than the smallest header", offset=cursor.offset, check="gguf.truncated")
    return Layout(version, big)


def read_string(cursor: Cursor, layout: Layout, what: str, keep: int = KEPT) -> tuple[bytes, int, int]:
    """The first `keep` bytes of a string and where it lies. Raises Malformed (`gguf.string-length`)."""
    at = cursor.offset
    length = cursor.uint(layout.width, big=layout.big)
    if length > cursor.remaining:
        note = f"{what} claims {length} bytes, {cursor.remaining} are left"
        raise Malformed(note, offset=at, check="gguf.string-length")
    start = cursor.offset
    head = cursor.take(min(length, keep))
    cursor.skip(length - len(head))
    return head, start, cursor.offset


def read_value(cursor: Cursor, layout: Layout, key: str, budget: Budget) -> Value:
    """The type and value that follow a key. Raises Malformed, naming the check."""
    at = cursor.offset
    kind = cursor.uint(4, big=layout.big)
    if kind not in VALUE_TYPES:
        raise Malformed(f"{key!r} has the value type {kind}", offset=at, check="gguf.value-type")
    if kind == STRING:
        head, start, end = read_string(cursor, layout, f"the value of {key!r}")
        return Value(key, kind, at, start=start, end=end, head=head)
    if kind == ARRAY:
        return _read_array(cursor, layout, key, budget)
    scalar = cursor.unpack(struct.Struct(layout.order + VALUE_TYPES[kind][1]))[0]
    return Value(key, kind, at, scalar=scalar)


def _read_array(cursor: Cursor, layout: Layout, key: str, budget: Budget) -> Value:
    at = cursor.offset
    element = cursor.uint(4, big=layout.big)
    count = cursor.uint(layout.width, big=layout.big)
    if element == ARRAY:
        raise Malformed(f"{key!r} is an array of arrays, which no loader reads", offset=at, check="gguf.array-nested")
    if element not in VALUE_TYPES:
        raise Malformed(f"{key!r} is an array of the type {element}", offset=at, check="gguf.value-type")
    size = layout.width if element == STRING else VALUE_SIZES[element]
    if count > cursor.remaining // size:
        note = f"{key!r} claims {count} elements of at least {size} bytes, {cursor.remaining} bytes are left"
        raise Malformed(note, offset=at, check="gguf.array-length")
    start = cursor.offset
    if element == STRING:
        for _ in walk_strings(cursor, layout, count, key, budget):
            pass
    else:
        cursor.skip(count * size)
    return Value(key, ARRAY, at - 4, element=element, count=count, start=start, end=cursor.offset)


def walk_strings(cursor: Cursor, layout: Layout, count: int, key: str, budget: Budget) -> Iterator[list[bytes]]:
    """The strings of an array in batches of one window each; one longer than a window is cut to it.

    Moves `cursor` behind the array. Raises Malformed (`gguf.string-length`).
    """
    unpack, width = layout.length.unpack_from, layout.width
    left, end = count, cursor.end
    while left:
        budget.check_time()
        base = cursor.offset
        buffer = cursor.content.read(base, min(_WINDOW, end - base))
        batch, used = _batch(buffer, left, unpack, width)
        if not batch:
            batch, used = [_long_string(cursor, layout, key)], 0
        left -= len(batch)
        cursor.skip(used)
        yield batch


def _batch(buffer: bytes, left: int, unpack: Callable[[bytes, int], tuple[int, ...]], width: int) -> tuple[list[bytes], int]:
    batch: list[bytes] = []
    append = batch.append
    position, limit = 0, len(buffer)
    last = limit - width
    for _ in range(left):
        if position > last:
            break
        start = position + width
        stop = start + unpack(buffer, position)[0]
        if stop > limit:
            break
        append(buffer[start:stop])
        position = stop
    return batch, position


def _long_string(cursor: Cursor, layout: Layout, key: str) -> bytes:
    head, _, _ = read_string(cursor, layout, f"a string of {key!r}", keep=_WINDOW)
    return head


def read_tensor(cursor: Cursor, layout: Layout) -> TensorRecord:
    """One tensor record. Raises Malformed (`gguf.string-length`, `gguf.tensor-rank`)."""
    at = cursor.offset
    name, _, _ = read_string(cursor, layout, "a tensor's name", keep=LONGEST_KEY)
    rank_at = cursor.offset
    rank = cursor.uint(4, big=layout.big)
    if rank > 4:
        note = f"a tensor has {rank} dimensions, loaders keep room for 4"
        raise Malformed(note, offset=rank_at, check="gguf.tensor-rank")
    dims = tuple(cursor.uint(layout.width, big=layout.big) for _ in range(rank))
    kind = cursor.uint(4, big=layout.big)
    return TensorRecord(name, dims, kind, cursor.uint(8, big=layout.big), at)


class Header(msgspec.Struct):
    """What has been read of a header so far."""

    layout: Layout
    pairs: int
    records: int
    values: dict[str, Value] = {}
    tensors: list[TensorRecord] = []
    end: int = 0  # behind the last tensor record

    @property
    def alignment(self) -> int:
        """`general.alignment` where it is usable, else the default of 32."""
        value = self.values.get("general.alignment")
        number = value.integer if value else None
        return number if number and 0 < number <= 1 << 16 and number & (number - 1) == 0 else 32

    @property
    def data_start(self) -> int:
        """Where the tensors' bytes begin."""
        return -(-self.end // self.alignment) * self.alignment

    def integer(self, key: str) -> int | None:
        """The integer under `key`, None when there is none."""
        value = self.values.get(key)
        return value.integer if value else None

    def text(self, key: str) -> str:
        """The beginning of the string under `key`, "" when there is none."""
        value = self.values.get(key)
        return value.text if value else ""


def open_header(cursor: Cursor) -> Header:
    """Magic, version and counts. Raises Malformed when a count cannot be true of the pairs (`gguf.kv-count`)."""
    layout = read_layout(cursor)
    at = cursor.offset
    records = cursor.uint(layout.width, big=layout.big)
    pairs = cursor.uint(layout.width, big=layout.big)
    smallest = layout.width + 1 + 4 + 1  # a key of one letter, a type, a value of one byte
    if pairs > cursor.remaining // smallest:
        note = f"{pairs} key-value pairs do not fit into {cursor.remaining} bytes"
        raise Malformed(note, offset=at + layout.width, check="gguf.kv-count")
    if pairs > MOST_PAIRS:
        raise too_many("key-value pairs", pairs)
    return Header(layout, pairs, records, {}, [])


def steps(header: Header, cursor: Cursor, budget: Budget) -> Iterator[Value | TensorRecord]:
    """Reads the pairs and then the tensor records into `header`, yielding each; a repeated key is yielded, not kept."""
    layout = header.layout
    for _ in range(header.pairs):
        budget.tick(256)
        value = read_value(cursor, layout, _read_key(cursor, layout), budget)
        header.values.setdefault(value.key, value)
        yield value
    smallest = layout.width + 4 + 4 + 8
    if header.records > cursor.remaining // smallest:
        note = f"{header.records} tensor records do not fit into {cursor.remaining} bytes"
        raise Malformed(note, offset=8, check="gguf.tensor-count")
    if header.records > MOST_TENSORS:
        raise too_many("tensors", header.records)
    for _ in range(header.records):
        budget.tick(256)
        record = read_tensor(cursor, layout)
        header.tensors.append(record)
        yield record
    header.end = cursor.offset


def _read_key(cursor: Cursor, layout: Layout) -> str:
    at = cursor.offset
    raw, start, end = read_string(cursor, layout, "a key", keep=LONGEST_KEY)
    if end - start > LONGEST_KEY:
        raise Malformed(f"a key of {end - start} bytes, 65,535 are allowed", offset=at, check="gguf.key")
    if not raw:
        raise Malformed("a key without a letter", offset=at, check="gguf.key")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("a key that is not UTF-8", offset=at, check="gguf.key") from None


def integers(content: Content, value: Value, layout: Layout, limit: int) -> tuple[int | float, ...]:
    """The first `limit` elements of an array of numbers."""
    name = VALUE_TYPES[value.element][1]
    count = min(value.count, limit)
    data = content.read(value.start, count * VALUE_SIZES[value.element])
    count = len(data) // VALUE_SIZES[value.element]
    return struct.unpack_from(f"{layout.order}{count}{name}", data)


def too_many(what: str, count: int) -> ReadError:
    """More records than are looked at."""
    return ReadError(GapReason.TOO_LARGE, f"{count} {what} are more than are looked at")
