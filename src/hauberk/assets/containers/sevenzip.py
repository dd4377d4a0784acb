"""Reader of 7z files: own bounded header parser, the standard library's LZMA for the data."""

import bz2
import lzma
import zlib
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.containers.archive_tree import Gathering
from hauberk.assets.containers.decompress import Codec, Consumed, expand, inflate, unpack, unzstd
from hauberk.assets.containers.member_path import link_fact, name_facts
from hauberk.assets.containers.sevenzip_headers import (
    ARCHIVE,
    ENCODED,
    END,
    FILES,
    HEADER,
    MAIN_STREAMS,
    MORE_STREAMS,
    START_SIZE,
    Coder,
    File,
    Folder,
    Streams,
    read_files,
    read_start,
    read_streams,
    skip_properties,
)
from hauberk.assets.containers.zip_members import lzma1_filter
from hauberk.assets.content import SliceContent
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed, ReadError, Truncated
from hauberk.assets.quoting import quote
from hauberk.assets.source.loose import without_padding
from hauberk.core import Asset, Content, Fact, Gap, GapReason

_MAX_HEADER = 32 << 20
_MAX_DICTIONARY = 256 << 20
_COPY, _LZMA1, _LZMA2, _DELTA, _BZIP2, _DEFLATE = b"\x00", b"\x03\x01\x01", b"\x21", b"\x03", b"\x04\x02\x02", b"\x04\x01\x08"
_ZSTD = b"\x04\xf7\x11\x01"
_AES = b"\x06\xf1\x07\x01"
_BRANCH = {
    b"\x03\x03\x01\x03": lzma.FILTER_X86, b"\x04": lzma.FILTER_X86,
    b"\x03\x03\x02\x05": lzma.FILTER_POWERPC, b"\x05": lzma.FILTER_POWERPC,
    b"\x03\x03\x04\x01": lzma.FILTER_IA64, b"\x06": lzma.FILTER_IA64,
    b"\x03\x03\x05\x01": lzma.FILTER_ARM, b"\x07": lzma.FILTER_ARM,
    b"\x03\x03\x07\x01": lzma.FILTER_ARMTHUMB, b"\x08": lzma.FILTER_ARMTHUMB,
    b"\x03\x03\x08\x05": lzma.FILTER_SPARC, b"\x09": lzma.FILTER_SPARC,
}  # fmt: skip


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Yields every file inside, folder by folder; Gaps for what is encrypted or coded in a way not read."""
    assert asset.content is not None
    start = read_start(asset.content)
    if not start.sum_holds:
        yield Fact("sevenzip.checksum", "the sum of the start header is wrong", offset=8)
    yield from _behind(asset, start.offset + start.size, budget)
    if not start.size:
        return
    header = _decoded_header(asset.content, start.offset, start.size, budget)
    streams, files = _parse(header)
    for file in files:
        yield from name_facts(file.name)
    yield from Gathering(asset).through(_files(asset, streams, files, budget))


def _decoded_header(content: Content, offset: int, size: int, budget: Budget) -> Content:
    if offset + size > content.size:
        raise Truncated("the 7z header lies behind the end of the file", offset=offset)
    header: Content = SliceContent(content, offset, size)
    for _ in range(4):  # a header may be packed, and packed again
        if size > _MAX_HEADER:
            raise ReadError(GapReason.TOO_LARGE, f"a 7z header of {size} bytes", check="sevenzip.header")
        if header.read(0, 1) != bytes([ENCODED]):
            return header
        streams = read_streams(Cursor(header, 1))
        if not streams.folders:
            raise Malformed("a packed 7z header without a folder", offset=offset)
        size = streams.folders[0].size
        if size > _MAX_HEADER:
            raise ReadError(GapReason.TOO_LARGE, f"a 7z header of {size} bytes", check="sevenzip.header")
        header = _unpack_folder(content, streams, 0, budget)
    raise Malformed("a 7z header packed again and again", offset=offset, check="sevenzip.header")


def _parse(header: Content) -> tuple[Streams, list[File]]:
    cursor = Cursor(header)
    if cursor.u8() != HEADER:
        raise Malformed("not a 7z header")
    streams, files = Streams(), list[File]()
    while (kind := cursor.u8()) != END:
        if kind == ARCHIVE:
            skip_properties(cursor)
        elif kind == MORE_STREAMS:
            read_streams(cursor)
        elif kind == MAIN_STREAMS:
            streams = read_streams(cursor)
        elif kind == FILES:
            files = read_files(cursor)
        else:
            raise Malformed(f"7z header property {kind} is out of place", offset=cursor.offset)
    return streams, files


def _files(asset: Asset, streams: Streams, files: list[File], budget: Budget) -> Iterator[Fact | Asset | Gap]:
    with_data = iter([file for file in files if file.has_stream])
    for number, folder in enumerate(streams.folders):
        assert asset.content is not None
        names = [next(with_data, File(f"unnamed-{number}")) for _ in folder.streams]
        try:
            content = _unpack_folder(asset.content, streams, number, budget)
        except ReadError as error:
            if error.reason in {GapReason.TOO_LARGE, GapReason.TIMEOUT}:
                raise
            for file in names[:100]:
                yield Gap(f"{asset.uri}!/{file.name}", error.reason, error.note)
            continue
        at = 0
        for file, size in zip(names, folder.streams, strict=True):
            member = SliceContent(content, at, size)
            at += size
            yield from _file(asset, file, member)


def _file(asset: Asset, file: File, member: SliceContent) -> Iterator[Fact | Asset | Gap]:
    mode = file.attributes >> 16 if file.attributes & 0x8000 else 0
    if mode & 0o170000 == 0o120000:
        yield from link_fact(file.name, member.read(0, 4096).decode("utf-8", "replace"))
        return
    yield asset.child(file.name, member)


def _unpack_folder(content: Content, streams: Streams, number: int, budget: Budget) -> Content:
    folder = streams.folders[number]
    if any(coder.method == _AES for coder in folder.coders):
        raise ReadError(GapReason.ENCRYPTED, "the member is encrypted (AES)")
    if len(folder.packed) != 1 or any((c.inputs, c.outputs) != (1, 1) for c in folder.coders):
        raise ReadError(GapReason.UNSUPPORTED, "7z coders that join several streams (BCJ2) are not read")
    first = sum(len(f.packed) for f in streams.folders[:number])
    if first >= len(streams.sizes):
        raise Malformed("a 7z folder without its packed stream")
    start = START_SIZE + streams.start + sum(streams.sizes[:first])
    size = streams.sizes[first]
    if start + size > content.size:
        raise Truncated("a packed 7z stream lies behind the end of the file", offset=start)
    window = SliceContent(content, start, size)
    chain = _chain(folder)
    unpacked = _decoded(window, chain, folder.size)
    expanded = expand(unpacked, budget, size)
    if expanded.size != folder.size:
        raise Malformed(f"a 7z folder unpacks to {expanded.size} bytes, {folder.size} were stated")
    return expanded


def _chain(folder: Folder) -> list[Coder]:
    """The coders in the order the packed bytes pass through them."""
    chain: list[Coder] = []
    feeds = {output: first for first, output in folder.binds}  # this coder's output goes into that coder's input
    at: int | None = folder.packed[0]
    while at is not None and 0 <= at < len(folder.coders) and len(chain) <= len(folder.coders):
        chain.append(folder.coders[at])
        at = feeds.get(at)
    if len(chain) != len(folder.coders):
        raise Malformed("the coders of a 7z folder do not form a chain")
    return chain


def _decoded(window: Content, chain: list[Coder], size: int) -> Iterator[bytes]:
    steps = [coder for coder in chain if coder.method != _COPY]
    if not steps:
        return _copied(window, size)
    if steps[0].method == _BZIP2 and len(steps) == 1:
        return unpack(window, Consumed(), bz2.BZ2Decompressor(), length=size)
    if steps[0].method == _DEFLATE and len(steps) == 1:
        return inflate(window, Consumed(), -zlib.MAX_WBITS)
    if steps[0].method == _ZSTD and len(steps) == 1:
        return unzstd(window, Consumed())
    filters = [_filter(coder) for coder in reversed(steps)]
    try:
        codec: Codec = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
    except (lzma.LZMAError, ValueError) as error:
        raise ReadError(GapReason.UNSUPPORTED, "this chain of 7z coders is not read") from error
    return unpack(window, Consumed(), codec, length=size)


def _copied(window: Content, size: int) -> Iterator[bytes]:
    at = 0
    while at < min(size, window.size):
        data = window.read(at, min(1 << 20, size - at))
        if not data:
            return
        yield data
        at += len(data)


def _filter(coder: Coder) -> dict[str, int]:
    if coder.method == _LZMA1 and len(coder.properties) >= 5:
        return lzma1_filter(coder.properties)
    if coder.method == _LZMA2 and len(coder.properties) == 1:
        bits = coder.properties[0]
        dictionary = 0xFFFFFFFF if bits >= 40 else (2 | bits & 1) << (bits // 2 + 11)
        if dictionary > _MAX_DICTIONARY:
            raise ReadError(GapReason.TOO_LARGE, f"wants a dictionary of {dictionary >> 20} MiB")
        return {"id": lzma.FILTER_LZMA2, "dict_size": max(4096, dictionary)}
    if coder.method == _DELTA:
        return {"id": lzma.FILTER_DELTA, "dist": (coder.properties[0] if coder.properties else 0) + 1}
    if coder.method in _BRANCH:
        return {"id": _BRANCH[coder.method]}
    raise ReadError(GapReason.UNSUPPORTED, f"7z method {quote(coder.method.hex(), 20)} is not read")


def _behind(asset: Asset, end: int, budget: Budget) -> Iterator[Fact | Asset]:
    assert asset.content is not None
    rest = without_padding(asset.content, end, asset.content.size, budget)
    if rest is not None:
        note = f"{rest.size} bytes follow the 7z header"
        yield Fact("sevenzip.trailing-data", note, offset=rest.start, where="end", quote=quote(rest.read(0, 48), 80))
        yield asset.child("(bytes behind the end)", rest)
