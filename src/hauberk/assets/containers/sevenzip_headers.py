"""The header of a 7z file: folders of coders, the streams they unpack to, and the names of what is inside."""

import zlib

import msgspec

from hauberk.assets.content import BytesContent
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed
from hauberk.core import Content

MAGIC = b"7z\xbc\xaf\x27\x1c"
START_SIZE = 32
_MAX_CODERS = 32
_MAX_ITEMS = 1 << 20

END, HEADER, ARCHIVE, MORE_STREAMS, MAIN_STREAMS, FILES = 0, 1, 2, 3, 4, 5
PACK_INFO, UNPACK_INFO, SUBSTREAMS, SIZE, CRC, FOLDER = 6, 7, 8, 9, 10, 11
UNPACK_SIZE, UNPACK_COUNT, EMPTY_STREAM, EMPTY_FILE, ANTI, NAMES = 12, 13, 14, 15, 16, 17
ATTRIBUTES, ENCODED = 21, 23


class Coder(msgspec.Struct, frozen=True):
    """One step of a folder: a method, its properties, and how many streams it joins."""

    method: bytes
    properties: bytes
    inputs: int = 1
    outputs: int = 1


class Folder(msgspec.Struct):
    """Coders, how their streams are bound (input to output), and the sizes each one unpacks to."""

    coders: list[Coder]
    binds: list[tuple[int, int]]
    packed: list[int]  # inputs fed from packed streams
    sizes: list[int] = []
    streams: list[int] = []  # sizes of the files inside, one behind the other

    @property
    def size(self) -> int:
        """Bytes the last coder gives."""
        bound = {output for _, output in self.binds}
        for number in range(len(self.sizes)):
            if number not in bound:
                return self.sizes[number]
        return 0


class Streams(msgspec.Struct):
    """Where packed streams lie, and the folders they belong to."""

    start: int = 0
    sizes: list[int] = []
    folders: list[Folder] = []


class File(msgspec.Struct):
    """One entry of the archive."""

    name: str = ""
    has_stream: bool = True
    is_folder: bool = False
    attributes: int = 0


class Start(msgspec.Struct, frozen=True):
    """The signature header: where the real header lies, and whether the sums hold."""

    offset: int
    size: int
    sum_holds: bool


def read_start(content: Content) -> Start:
    """The signature header. Raises ReadError."""
    cursor = Cursor(content)
    if cursor.take(6) != MAGIC:
        raise Malformed("not a 7z file")
    cursor.skip(2)
    stated = cursor.uint(4)
    block = cursor.take(20)
    offset, size = int.from_bytes(block[:8], "little"), int.from_bytes(block[8:16], "little")
    return Start(START_SIZE + offset, size, zlib.crc32(block) == stated)


def number(cursor: Cursor) -> int:
    """A 7z variable-length number: leading ones of the first byte count the bytes that follow."""
    first = cursor.u8()
    value = 0
    mask = 0x80
    for place in range(8):
        if not first & mask:
            return value + ((first & (mask - 1)) << (8 * place))
        value |= cursor.u8() << (8 * place)
        mask >>= 1
    return value


def count(cursor: Cursor) -> int:
    """A number of items, each of which takes space. Raises Malformed on one that cannot be."""
    value = number(cursor)
    if value > _MAX_ITEMS:
        raise Malformed(f"a 7z header counts {value} items", offset=cursor.offset, check="sevenzip.header")
    return value


def bits(cursor: Cursor, length: int) -> list[bool]:
    """A vector of `length` bits, most significant first."""
    data = cursor.take((length + 7) // 8)
    return [bool(data[n // 8] & (0x80 >> (n % 8))) for n in range(length)]


def _defined(cursor: Cursor, length: int) -> list[bool]:
    return [True] * length if cursor.u8() else bits(cursor, length)


def _skip_sums(cursor: Cursor, length: int) -> None:
    cursor.skip(4 * sum(_defined(cursor, length)))


def read_streams(cursor: Cursor) -> Streams:
    """Pack, unpack and substream information up to its end mark. Raises ReadError."""
    found = Streams()
    sums_known = [False]
    while (kind := cursor.u8()) != END:
        if kind == PACK_INFO:
            found.start = number(cursor)
            found.sizes = _pack_sizes(cursor, count(cursor))
        elif kind == UNPACK_INFO:
            found.folders, sums_known = _unpack_info(cursor)
        elif kind == SUBSTREAMS:
            _substreams(cursor, found.folders, sums_known)
        else:
            raise Malformed(f"7z header property {kind} is out of place", offset=cursor.offset)
    for folder in found.folders:
        folder.streams = folder.streams or [folder.size]
    return found


def _pack_sizes(cursor: Cursor, length: int) -> list[int]:
    sizes: list[int] = []
    while (kind := cursor.u8()) != END:
        if kind == SIZE:
            sizes = [number(cursor) for _ in range(length)]
        elif kind == CRC:
            _skip_sums(cursor, length)
        else:
            raise Malformed(f"7z header property {kind} is out of place", offset=cursor.offset)
    return sizes


def _unpack_info(cursor: Cursor) -> tuple[list[Folder], list[bool]]:
    if cursor.u8() != FOLDER:
        raise Malformed("a 7z header without folders", offset=cursor.offset)
    length = count(cursor)
    if cursor.u8():
        raise Malformed("a 7z header whose folders lie elsewhere", offset=cursor.offset)
    folders = [_folder(cursor) for _ in range(length)]
    known = [False] * length
    while (kind := cursor.u8()) != END:
        if kind == UNPACK_SIZE:
            for folder in folders:
                folder.sizes = [number(cursor) for coder in folder.coders for _ in range(coder.outputs)]
        elif kind == CRC:
            known = _defined(cursor, length)
            cursor.skip(4 * sum(known))
        else:
            raise Malformed(f"7z header property {kind} is out of place", offset=cursor.offset)
    return folders, known


def _folder(cursor: Cursor) -> Folder:
    length = number(cursor)
    if not 0 < length <= _MAX_CODERS:
        raise Malformed(f"a 7z folder of {length} coders", offset=cursor.offset, check="sevenzip.header")
    coders = [_coder(cursor) for _ in range(length)]
    inputs, outputs = sum(c.inputs for c in coders), sum(c.outputs for c in coders)
    if inputs > _MAX_CODERS or not 0 < outputs <= _MAX_CODERS:
        raise Malformed("a 7z folder of too many streams", offset=cursor.offset, check="sevenzip.header")
    binds = [(number(cursor), number(cursor)) for _ in range(outputs - 1)]
    if inputs < len(binds):
        raise Malformed("a 7z folder whose streams do not fit", offset=cursor.offset)
    left = inputs - len(binds)
    bound = {first for first, _ in binds}
    packed = [n for n in range(inputs) if n not in bound][:1] if left == 1 else [number(cursor) for _ in range(left)]
    return Folder(coders, binds, packed)


def _coder(cursor: Cursor) -> Coder:
    flags = cursor.u8()
    if flags & 0xC0:
        raise Malformed("a 7z coder with reserved flags", offset=cursor.offset)
    method = cursor.take(flags & 0x0F)
    inputs, outputs = (number(cursor), number(cursor)) if flags & 0x10 else (1, 1)
    properties = cursor.take(number(cursor)) if flags & 0x20 else b""
    return Coder(method, properties, inputs, outputs)


def _substreams(cursor: Cursor, folders: list[Folder], sums_known: list[bool]) -> None:
    counts = [1] * len(folders)
    kind = cursor.u8()
    if kind == UNPACK_COUNT:
        counts = [count(cursor) for _ in folders]
        kind = cursor.u8()
    if sum(counts) > _MAX_ITEMS:
        raise Malformed("a 7z header of too many streams", offset=cursor.offset, check="sevenzip.header")
    for folder, streams in zip(folders, counts, strict=True):
        folder.streams = _substream_sizes(cursor, folder, streams, given=kind == SIZE)
    if kind == SIZE:
        kind = cursor.u8()
    while kind != END:
        if kind != CRC:
            raise Malformed(f"7z header property {kind} is out of place", offset=cursor.offset)
        pairs = zip(counts, [*sums_known, *[False] * len(counts)], strict=False)
        _skip_sums(cursor, sum(c for c, known in pairs if not (c == 1 and known)))
        kind = cursor.u8()


def _substream_sizes(cursor: Cursor, folder: Folder, streams: int, *, given: bool) -> list[int]:
    if not streams:
        return []
    sizes = [number(cursor) for _ in range(streams - 1)] if given else []
    rest = folder.size - sum(sizes)
    if rest < 0:
        raise Malformed("the files of a 7z folder are longer than it", offset=cursor.offset, check="sevenzip.header")
    return [*sizes, rest]


def read_files(cursor: Cursor) -> list[File]:
    """The entries: names, which have data, which are folders. Raises ReadError."""
    files = [File() for _ in range(count(cursor))]
    while (kind := cursor.u8()) != END:
        size = number(cursor)
        data = Cursor(BytesContent(cursor.take(size)))
        if kind == NAMES:
            _names(data, files)
        elif kind == EMPTY_STREAM:
            for file, empty in zip(files, bits(data, len(files)), strict=True):
                file.has_stream, file.is_folder = not empty, empty
        elif kind == EMPTY_FILE:
            empty_files = [file for file in files if not file.has_stream]
            for file, plain in zip(empty_files, bits(data, len(empty_files)), strict=True):
                file.is_folder = not plain
        elif kind == ATTRIBUTES:
            known = _defined(data, len(files))
            if not data.u8():
                for file, there in zip(files, known, strict=True):
                    file.attributes = data.uint(4) if there else 0
    return files


def _names(data: Cursor, files: list[File]) -> None:
    if data.u8():
        raise Malformed("a 7z header whose names lie elsewhere")
    text = data.take(data.remaining).decode("utf-16-le", "replace")
    for file, name in zip(files, text.split("\0"), strict=False):
        file.name = name


def skip_properties(cursor: Cursor) -> None:
    """Passes the archive properties."""
    while cursor.u8() != END:
        cursor.skip(number(cursor))
