"""Links of an HDF5 group: symbol tables, link messages, dense storage."""

from collections.abc import Iterator

import msgspec

from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed
from hauberk.assets.keras.hdf5_file import Hdf5File, Message
from hauberk.assets.keras.hdf5_heap import FractalHeap, btree2_records, local_heap

_MAX_NODES = 100_000


class Link(msgspec.Struct, frozen=True):
    """A link: hard to `address`, soft to `target`, external to `target` in `file`; any other `kind` is user-defined."""

    name: str
    kind: str
    address: int = 0
    target: str = ""
    file: str = ""


def links_of(file: Hdf5File, message: Message) -> Iterator[Link]:
    """The links one message of a group's header gives."""
    if message.kind == 0x11:
        cursor = file.inner(message.data)
        yield from _symbol_table(file, file.address(cursor), file.address(cursor))
    elif message.kind == 0x06:
        yield _link(file, file.inner(message.data))
    elif message.kind == 0x02:
        yield from _dense(file, message)


def dense_addresses(file: Hdf5File, message: Message, index_size: int) -> tuple[int, int]:
    """Fractal heap and name index of a link-info or attribute-info message."""
    cursor = file.inner(message.data)
    cursor.skip(1)
    flags = cursor.u8()
    cursor.skip(index_size if flags & 1 else 0)
    return file.address(cursor), file.address(cursor)


def _dense(file: Hdf5File, message: Message) -> Iterator[Link]:
    heap_address, index = dense_addresses(file, message, 8)
    if file.undefined in (heap_address, index):
        return
    heap = FractalHeap(file, heap_address)
    for kind, record in btree2_records(file, index):
        start = {5: 4, 6: 8}.get(kind, -1)
        if start < 0:
            raise Malformed(f"links in a B-tree of type {kind}", check="hdf5.malformed")
        yield _link(file, file.inner(heap.object(record[start : start + heap.id_size])))


def _link(file: Hdf5File, cursor: Cursor) -> Link:
    cursor.skip(1)
    flags = cursor.u8()
    kind = cursor.u8() if flags & 8 else 0
    cursor.skip((8 if flags & 4 else 0) + (1 if flags & 0x10 else 0))
    name = cursor.take(cursor.uint(1 << (flags & 3))).decode("utf-8", "replace")
    if kind == 0:
        return Link(name, "hard", address=file.address(cursor))
    value = cursor.take(cursor.uint(2))
    if kind == 1:
        return Link(name, "soft", target=value.decode("utf-8", "replace"))
    if kind == 64:
        parts = value[1:].split(b"\x00")
        target = parts[1] if len(parts) > 1 else b""
        return Link(name, "external", target=target.decode("utf-8", "replace"), file=parts[0].decode("utf-8", "replace"))
    return Link(name, f"user-defined {kind}")


def _symbol_table(file: Hdf5File, tree: int, heap: int) -> Iterator[Link]:
    names = local_heap(file, heap)
    stack, seen = [tree], set[int]()
    while stack:
        address = stack.pop()
        if address in seen or len(seen) > _MAX_NODES:
            raise Malformed("a group's B-tree goes round in a circle", check="hdf5.cycle")
        seen.add(address)
        cursor = file.at(address)
        head = cursor.take(4)
        if head == b"SNOD":
            yield from _symbols(file, cursor, names)
        elif head == b"TREE":
            stack.extend(reversed(_children(file, cursor)))
        else:
            raise Malformed("no B-tree node", offset=cursor.offset - 4, check="hdf5.malformed")


def _children(file: Hdf5File, cursor: Cursor) -> list[int]:
    if cursor.u8() != 0:
        raise Malformed("a group's B-tree is of another type", offset=cursor.offset, check="hdf5.malformed")
    cursor.skip(1)
    count = cursor.uint(2)
    cursor.skip(2 * file.offset_size)
    children: list[int] = []
    for _ in range(count):
        cursor.skip(file.length_size)
        children.append(file.address(cursor))
    return children


def _symbols(file: Hdf5File, cursor: Cursor, names: bytes) -> Iterator[Link]:
    cursor.skip(2)
    for _ in range(cursor.uint(2)):
        file.budget.tick()
        name = _text(names, file.address(cursor))
        address, cache = file.address(cursor), cursor.uint(4)
        cursor.skip(4)
        scratch = cursor.take(16)
        if cache == 2:
            yield Link(name, "soft", target=_text(names, int.from_bytes(scratch[:4], "little")))
        else:
            yield Link(name, "hard", address=address)


def _text(names: bytes, start: int) -> str:
    if start >= len(names):
        raise Malformed("a link's name lies outside its heap", check="hdf5.out-of-bounds")
    end = names.find(b"\x00", start)
    return names[start : end if end >= 0 else len(names)].decode("utf-8", "replace")
