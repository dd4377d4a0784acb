"""Values of HDF5: dataspaces, datatypes, attributes, and where a dataset's bytes lie."""

from collections.abc import Iterator
from math import prod

import msgspec

from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed, ReadError
from hauberk.assets.keras.hdf5_file import Hdf5File, Message
from hauberk.assets.keras.hdf5_group import dense_addresses
from hauberk.assets.keras.hdf5_heap import FractalHeap, btree2_records, global_object
from hauberk.core import GapReason

_MAX_VALUE = 64 << 20
_MAX_STRINGS = 10_000
_MAX_MAPPINGS = 10_000


class Datatype(msgspec.Struct, frozen=True):
    """Class and size of an element. `text` is "fixed", "variable" or ""."""

    kind: int
    size: int
    text: str


class Attribute(msgspec.Struct, frozen=True):
    """An attribute: its texts if it is text, else none."""

    name: str
    texts: tuple[str, ...]
    elements: int


class Storage(msgspec.Struct, frozen=True):
    """Where the bytes of a dataset lie: "compact", "contiguous", "chunked", "virtual"."""

    layout: str
    address: int = 0
    size: int = 0
    index: int = 0


def dimensions(file: Hdf5File, cursor: Cursor) -> tuple[int, ...]:
    """The current dimensions of a dataspace message; () for a scalar."""
    version, rank, _ = cursor.u8(), cursor.u8(), cursor.u8()
    if version not in {1, 2} or rank > 32:
        raise Malformed(f"dataspace version {version} of rank {rank}", check="hdf5.malformed")
    cursor.skip(5 if version == 1 else 1)
    return tuple(file.length(cursor) for _ in range(rank))


def datatype(file: Hdf5File, message: Message) -> Datatype:
    """The type a datatype message gives, followed when it is committed elsewhere."""
    if message.shared:
        return _shared_type(file, message.data)
    return _datatype(file.inner(message.data))


def _shared_type(file: Hdf5File, data: bytes) -> Datatype:
    cursor = file.inner(data)
    version, kind = cursor.u8(), cursor.u8()
    if version == 3 and kind == 1:
        raise ReadError(GapReason.UNSUPPORTED, "a datatype in the shared message heap is not read")
    cursor.skip(6 if version == 1 else 0)
    for message in file.messages(file.address(cursor)):
        if message.kind == 3 and not message.shared:
            return _datatype(file.inner(message.data))
    raise Malformed("a committed datatype is not there", check="hdf5.malformed")


def _datatype(cursor: Cursor) -> Datatype:
    kind = cursor.u8() & 15
    bits, _, size = cursor.u8(), cursor.skip(2), cursor.uint(4)
    if kind == 3:
        return Datatype(kind, size, "fixed")
    return Datatype(kind, size, "variable" if kind == 9 and bits & 15 == 1 else "")


def attributes_of(file: Hdf5File, message: Message) -> Iterator[Attribute]:
    """The attributes of an attribute or attribute-info message."""
    if message.kind == 0x0C:
        if message.shared:
            raise ReadError(GapReason.UNSUPPORTED, "a shared attribute is not read")
        yield _attribute(file, file.inner(message.data))
    elif message.kind == 0x15:
        heap_address, index = dense_addresses(file, message, 2)
        if file.undefined in (heap_address, index):
            return
        heap = FractalHeap(file, heap_address)
        for kind, record in btree2_records(file, index):
            if kind not in {8, 9}:
                raise Malformed(f"attributes in a B-tree of type {kind}", check="hdf5.malformed")
            yield _attribute(file, file.inner(heap.object(record[: heap.id_size])))


def _attribute(file: Hdf5File, cursor: Cursor) -> Attribute:
    version, flags = cursor.u8(), cursor.u8()
    if version not in {1, 2, 3}:
        raise Malformed(f"attribute version {version}", check="hdf5.malformed")
    sizes = (cursor.uint(2), cursor.uint(2), cursor.uint(2))
    cursor.skip(1 if version == 3 else 0)
    name, kind, space = (_padded(cursor, size, pad=version == 1) for size in sizes)
    element = _shared_type(file, kind) if version > 1 and flags & 1 else _datatype(file.inner(kind))
    if version > 1 and flags & 2:
        raise ReadError(GapReason.UNSUPPORTED, "a shared dataspace is not read")
    count = prod(dimensions(file, file.inner(space)))
    label = name.split(b"\x00")[0].decode("utf-8", "replace")
    return Attribute(label, tuple(_texts(file, cursor, element, count)), count)


def _padded(cursor: Cursor, size: int, *, pad: bool) -> bytes:
    data = cursor.take(size)
    cursor.skip(-size % 8 if pad else 0)
    return data


def _texts(file: Hdf5File, cursor: Cursor, element: Datatype, count: int) -> Iterator[str]:
    if element.text == "fixed":
        if element.size * count > cursor.remaining:
            raise Malformed("an attribute's value is cut short", check="hdf5.malformed")
        for _ in range(min(count, _MAX_STRINGS)):
            yield cursor.take(element.size).split(b"\x00")[0].decode("utf-8", "replace")
    elif element.text == "variable":
        for _ in range(min(count, _MAX_STRINGS)):
            length, address, index = cursor.uint(4), file.address(cursor), cursor.uint(4)
            if length and address not in {0, file.undefined}:
                if length > _MAX_VALUE:
                    raise ReadError(GapReason.TOO_LARGE, f"a text of {length >> 20} MiB")
                yield global_object(file, address, index)[:length].rstrip(b"\x00").decode("utf-8", "replace")
            else:
                yield ""


def storage(file: Hdf5File, message: Message) -> Storage:
    """Where a layout message says a dataset's bytes lie."""
    cursor = file.inner(message.data)
    version = cursor.u8()
    if version in {1, 2}:
        cursor.skip(1)
        kind = cursor.u8()
        cursor.skip(5)
        return Storage(_LAYOUTS.get(kind, "unknown"), address=file.address(cursor) if kind else 0)
    if version not in {3, 4, 5}:
        raise Malformed(f"data layout version {version}", check="hdf5.malformed")
    kind = cursor.u8()
    if kind == 0:
        return Storage("compact", size=cursor.uint(2))
    if kind == 1:
        return Storage("contiguous", address=file.address(cursor), size=file.length(cursor))
    if kind == 2 and version == 3:
        cursor.skip(1)
        return Storage("chunked", address=file.address(cursor))
    if kind == 3:
        return Storage("virtual", address=file.address(cursor), index=cursor.uint(4))
    return Storage(_LAYOUTS.get(kind, "unknown"), address=file.undefined)


_LAYOUTS = {0: "compact", 1: "contiguous", 2: "chunked", 3: "virtual"}


def external_files(file: Hdf5File, message: Message) -> Iterator[str]:
    """The files an external-data message takes a dataset's bytes from."""
    from hauberk.assets.keras.hdf5_heap import local_heap

    cursor = file.inner(message.data)
    cursor.skip(4)
    allocated, used = cursor.uint(2), cursor.uint(2)
    names = local_heap(file, file.address(cursor))
    for _ in range(min(max(allocated, used), _MAX_MAPPINGS)):
        if cursor.remaining < 3 * file.length_size:
            return
        start = file.length(cursor)
        cursor.skip(2 * file.length_size)
        yield names[start:].split(b"\x00")[0].decode("utf-8", "replace")


def virtual_sources(file: Hdf5File, place: Storage) -> Iterator[str]:
    """The files a virtual dataset is put together from; "." is the file itself."""
    if place.address in {0, file.undefined}:
        return
    cursor = file.inner(global_object(file, place.address, place.index))
    version = cursor.u8()
    if version not in {0, 1}:
        raise ReadError(GapReason.UNSUPPORTED, f"virtual dataset mapping of version {version}")
    for _ in range(min(file.length(cursor), _MAX_MAPPINGS)):
        flags = cursor.u8() if version == 1 else 0
        if flags & 1:
            file.length(cursor)  # the name of an earlier entry
        elif flags & 4:
            yield "."
        else:
            yield _terminated(cursor)
        if flags & 2:
            file.length(cursor)
        else:
            _terminated(cursor)
        _skip_selection(cursor)
        _skip_selection(cursor)


def _terminated(cursor: Cursor) -> str:
    data = bytearray()
    while byte := cursor.u8():
        data.append(byte)
    return data.decode("utf-8", "replace")


def _skip_selection(cursor: Cursor) -> None:
    kind, version = cursor.uint(4), cursor.uint(4)
    if kind in {0, 3}:
        cursor.skip(8)
        return
    if kind != 2:
        raise ReadError(GapReason.UNSUPPORTED, "a virtual dataset mapped point by point is not read")
    if version < 3:
        cursor.skip(4 if version == 1 else 1)
        cursor.skip(cursor.uint(4))
        return
    regular, width, rank = cursor.u8() & 1, cursor.u8(), cursor.uint(4)
    cursor.skip(4 * rank * width if regular else 2 * rank * width * cursor.uint(width))
