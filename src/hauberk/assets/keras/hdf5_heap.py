"""Heaps of HDF5: local (names), global (variable-length values), fractal with its version 2 B-tree (dense storage)."""

from collections.abc import Iterator

from hauberk.assets.errors import Malformed, ReadError
from hauberk.assets.keras.hdf5_file import Hdf5File
from hauberk.core import GapReason

_MAX_RECORDS = 100_000
_MAX_TEXT = 64 << 20


def local_heap(file: Hdf5File, address: int) -> bytes:
    """The names of a group, as one stretch of bytes."""
    cursor = file.at(address)
    if cursor.take(4) != b"HEAP":
        raise Malformed("no local heap", offset=cursor.offset, check="hdf5.malformed")
    cursor.skip(4)
    size = file.length(cursor)
    cursor.skip(file.length_size)
    if size > _MAX_TEXT:
        raise ReadError(GapReason.TOO_LARGE, f"{size >> 20} MiB of link names")
    return file.at(file.address(cursor), size).take(size)


def global_object(file: Hdf5File, address: int, index: int) -> bytes:
    """Object `index` of the global heap collection at `address`."""
    cursor = file.at(address)
    if cursor.take(4) != b"GCOL":
        raise Malformed("no global heap collection", offset=cursor.offset, check="hdf5.malformed")
    cursor.skip(4)
    size = file.length(cursor)
    cursor = file.at(address, size)
    cursor.skip(8 + file.length_size)
    while cursor.remaining >= 8 + file.length_size:
        file.budget.tick()
        number = cursor.uint(2)
        cursor.skip(6)
        length = file.length(cursor)
        if number == 0:
            break
        if number == index:
            return cursor.take(length)
        cursor.skip(min(-(-length // 8) * 8, cursor.remaining))
    raise Malformed(f"object {index} is not in its global heap", offset=cursor.offset, check="hdf5.malformed")


class FractalHeap:
    """Dense storage of links or attributes."""

    def __init__(self, file: Hdf5File, address: int) -> None:
        """Reads the header. Raises ReadError."""
        self.file = file
        cursor = file.at(address)
        if cursor.take(4) != b"FRHP":
            raise Malformed("no fractal heap", offset=cursor.offset, check="hdf5.malformed")
        cursor.skip(1)
        self.id_size, self.filters = cursor.uint(2), cursor.uint(2)
        self.checksums = bool(cursor.u8() & 2)
        max_managed = cursor.uint(4)
        cursor.skip(2 * file.offset_size + 10 * file.length_size)
        self.width = cursor.uint(2)
        self.start_size, self.max_direct = file.length(cursor), file.length(cursor)
        self.offset_bytes = -(-cursor.uint(2) // 8)
        cursor.skip(2)
        self.root, self.rows = file.address(cursor), cursor.uint(2)
        self.length_bytes = _width(min(self.max_direct, max_managed))
        if self.filters:
            raise ReadError(GapReason.UNSUPPORTED, "dense storage with filters is not read")
        if not (0 < self.width <= 1024 and _power(self.start_size) and _power(self.max_direct) and self.rows <= 256):
            raise Malformed("a fractal heap of an impossible shape", check="hdf5.malformed")

    def object(self, heap_id: bytes) -> bytes:
        """The object behind a heap id."""
        kind = heap_id[0] >> 4 & 3
        if kind == 2:
            return heap_id[1 : 2 + (heap_id[0] & 15)]
        if kind != 0:
            raise ReadError(GapReason.UNSUPPORTED, "a huge object in dense storage is not read")
        offset = int.from_bytes(heap_id[1 : 1 + self.offset_bytes], "little")
        length = int.from_bytes(heap_id[1 + self.offset_bytes : 1 + self.offset_bytes + self.length_bytes], "little")
        address, size, base = self._block(offset)
        if offset + length > base + size:
            raise Malformed("an object of a fractal heap leaves its block", check="hdf5.malformed")
        return self.file.at(address + offset - base, length).take(length) if length else b""

    def _block(self, offset: int) -> tuple[int, int, int]:
        """Address, size and heap offset of the direct block that holds `offset`."""
        address, rows, base = self.root, self.rows, 0
        if rows == 0:
            return address, self.start_size, 0
        for _ in range(64):
            row, base_of_row, size = self._row(offset - base, rows)
            column = (offset - base - base_of_row) // size
            entry = self._entry(address, row, column)
            base += base_of_row + column * size
            if size <= self.max_direct:
                return entry, size, base
            address, rows = entry, max(1, size.bit_length() - (self.start_size * self.width).bit_length() + 1)
        raise Malformed("a fractal heap without end", check="hdf5.cycle")

    def _row(self, offset: int, rows: int) -> tuple[int, int, int]:
        start, size = 0, self.start_size
        for row in range(rows):
            if row > 1:
                size *= 2
            if offset < start + size * self.width:
                return row, start, size
            start += size * self.width
        raise Malformed("an object outside its fractal heap", check="hdf5.out-of-bounds")

    def _entry(self, address: int, row: int, column: int) -> int:
        cursor = self.file.at(address)
        if cursor.take(4) != b"FHIB":
            raise Malformed("no indirect block", offset=cursor.offset, check="hdf5.malformed")
        cursor.skip(1 + self.file.offset_size + self.offset_bytes + (row * self.width + column) * self.file.offset_size)
        return self.file.address(cursor)


def btree2_records(file: Hdf5File, address: int) -> Iterator[tuple[int, bytes]]:
    """Type and bytes of every record of a version 2 B-tree."""
    cursor = file.at(address)
    if cursor.take(4) != b"BTHD":
        raise Malformed("no version 2 B-tree", offset=cursor.offset, check="hdf5.malformed")
    cursor.skip(1)
    kind, node_size, record_size, depth = cursor.u8(), cursor.uint(4), cursor.uint(2), cursor.uint(2)
    cursor.skip(2)
    root, count = file.address(cursor), cursor.uint(2)
    if record_size == 0 or depth > 16 or node_size < 16:
        raise Malformed("a version 2 B-tree of an impossible shape", check="hdf5.malformed")
    if root == file.undefined:
        return
    widths = _pointer_widths(file, node_size, record_size, depth)
    stack, seen, given = [(root, count, depth)], set[int](), 0
    while stack:
        node, records, level = stack.pop()
        if node in seen:
            raise Malformed("a B-tree goes round in a circle", check="hdf5.cycle")
        seen.add(node)
        cursor = file.at(node)
        if cursor.take(4) != (b"BTIN" if level else b"BTLF"):
            raise Malformed("no B-tree node", offset=cursor.offset, check="hdf5.malformed")
        cursor.skip(2)
        for _ in range(records):
            file.budget.tick()
            given += 1
            if given > _MAX_RECORDS:
                raise ReadError(GapReason.TOO_LARGE, f"more than {_MAX_RECORDS} records in a B-tree")
            yield kind, cursor.take(record_size)
        if level:
            for _ in range(records + 1):
                child, below = file.address(cursor), cursor.uint(widths[0])
                cursor.skip(widths[level] if level > 1 else 0)
                stack.append((child, below, level - 1))


def _pointer_widths(file: Hdf5File, node_size: int, record_size: int, depth: int) -> list[int]:
    """How wide a child's record count is (first), and its total count at each depth."""
    most = (node_size - 10) // record_size
    first, total, total_width = _width(most), most, 0
    widths = [first, 0]
    for _ in range(1, depth + 1):
        pointer = file.offset_size + first + total_width
        most = max(0, (node_size - 10 - pointer) // (record_size + pointer))
        total = (most + 1) * total + most
        total_width = _width(total)
        widths.append(total_width)
    return widths


def _width(value: int) -> int:
    return max(1, -(-value.bit_length() // 8))


def _power(value: int) -> bool:
    return 0 < value <= 1 << 40 and value & (value - 1) == 0
