"""Streaming decompression under bounds: every codec is an iterator of chunks, every result a content."""

import bz2
import lzma
import zlib
from collections.abc import Iterator
from typing import Protocol, cast

from hauberk.assets.budget import Budget
from hauberk.assets.content import CHUNK, BytesContent, SpoolContent, chunks
from hauberk.assets.errors import Malformed, ReadError, Truncated
from hauberk.core import Content, GapReason

# A stream past BOMB_FLOOR that grew more than BOMB_RATIO times is nothing but repetition: deflate ends at 1,032.
BOMB_FLOOR = 32 << 20
BOMB_RATIO = 500
LZMA_MEMORY = 256 << 20
_SMALL = 1 << 20


class Codec(Protocol):
    """The decompressor objects of bz2 and lzma."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """At most `max_length` bytes; input not consumed yet is kept inside."""
        ...

    @property
    def eof(self) -> bool:
        """Whether the end-of-stream mark was met."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether more input is needed before more output can come."""
        ...

    @property
    def unused_data(self) -> bytes:
        """Input behind the end of the stream."""
        ...


class Consumed:
    """How far into its content a stream went; `end` is set when the stream ended by its own mark."""

    __slots__ = ("end", "offset")

    def __init__(self, offset: int = 0) -> None:
        self.offset = offset
        self.end: int | None = None


def inflate(content: Content, seen: Consumed, wbits: int) -> Iterator[bytes]:
    """Deflate data (`wbits` as in zlib). Raises Malformed, and Truncated when it ends before its own end."""
    codec = zlib.decompressobj(wbits)
    for data in chunks(content, seen.offset):
        fed, pending = data, data
        while pending and not codec.eof:
            try:
                out = codec.decompress(pending, CHUNK)
            except zlib.error as error:
                raise Malformed(f"not a deflate stream: {error}", offset=seen.offset) from error
            pending = codec.unconsumed_tail
            if out:
                yield out
        yield from _drain(codec)
        seen.offset += len(fed)
        if codec.eof:
            seen.end = seen.offset = seen.offset - len(codec.unused_data)
            return
    raise Truncated("the compressed stream ends before its end mark", offset=content.size)


def _drain(codec: "zlib._Decompress") -> Iterator[bytes]:  # pyright: ignore[reportPrivateUsage]
    # With the input consumed, up to one window of output may still be waiting inside.
    while not codec.eof:
        try:
            out = codec.decompress(codec.unconsumed_tail, CHUNK)
        except zlib.error as error:
            raise Malformed(f"not a deflate stream: {error}") from error
        if not out:
            return
        yield out


def unpack(content: Content, seen: Consumed, codec: Codec, *, length: int = -1) -> Iterator[bytes]:
    """What a bz2 or lzma decompressor makes of `content`; `length` bounds the output of streams without an end mark."""
    left = length if length >= 0 else None
    for data in chunks(content, seen.offset):
        feed = data
        while not codec.eof and (left is None or left > 0):
            try:
                out = codec.decompress(feed, CHUNK if left is None else min(CHUNK, left))
            except (OSError, EOFError, ValueError, lzma.LZMAError) as error:
                raise _refused(error, seen.offset) from error
            feed = b""
            if out:
                left = None if left is None else left - len(out)
                yield out
            elif codec.needs_input:
                break
        seen.offset += len(data)
        if codec.eof or left == 0:
            seen.end = seen.offset = seen.offset - len(codec.unused_data)
            return
    if left != 0:
        raise Truncated("the compressed stream ends before its end mark", offset=content.size)


def _refused(error: Exception, offset: int) -> ReadError:
    if "memory usage limit" in str(error).lower():
        return ReadError(GapReason.TOO_LARGE, f"wants more than {LZMA_MEMORY >> 20} MiB to decompress", offset=offset)
    return Malformed(f"not a valid compressed stream: {error}", offset=offset)


def unzstd(content: Content, seen: Consumed) -> Iterator[bytes]:
    """One or more Zstandard frames."""
    import zstandard

    codec = zstandard.ZstdDecompressor(max_window_size=128 << 20)
    reader = codec.stream_reader(_Feed(content, seen), read_size=CHUNK, read_across_frames=True)  # pyright: ignore[reportArgumentType]
    while True:
        try:
            out = reader.read(CHUNK)
        except zstandard.ZstdError as error:
            raise Malformed(f"not a valid Zstandard stream: {error}", offset=seen.offset) from error
        if not out:
            seen.end = seen.offset
            return
        yield out


class _Feed:
    """A content as the file object the Zstandard reader wants."""

    def __init__(self, content: Content, seen: Consumed) -> None:
        self._content = content
        self._seen = seen

    def read(self, length: int = -1) -> bytes:
        data = self._content.read(self._seen.offset, CHUNK if length < 0 else min(length, CHUNK))
        self._seen.offset += len(data)
        return data


def unlz4(content: Content, seen: Consumed) -> Iterator[bytes]:
    """One LZ4 frame."""
    import lz4.frame

    codec = cast("Codec", lz4.frame.LZ4FrameDecompressor())
    for data in chunks(content, seen.offset):
        feed = data
        while not codec.eof:
            try:
                out = codec.decompress(feed, CHUNK)
            except (RuntimeError, EOFError) as error:
                raise Malformed(f"not a valid LZ4 frame: {error}", offset=seen.offset) from error
            feed = b""
            if out:
                yield out
            elif codec.needs_input:
                break
        seen.offset += len(data)
        if codec.eof:
            seen.end = seen.offset = seen.offset - len(codec.unused_data or b"")
            return
    raise Truncated("the LZ4 frame ends before its end mark", offset=content.size)


def bz2_codec() -> Codec:
    """A fresh bzip2 decompressor."""
    return bz2.BZ2Decompressor()


def xz_codec() -> Codec:
    """A fresh decompressor of xz and lzma-alone streams that refuses to take more than 256 MiB."""
    return lzma.LZMADecompressor(lzma.FORMAT_AUTO, memlimit=LZMA_MEMORY)


def expand(stream: Iterator[bytes], budget: Budget, packed: int) -> Content:
    """The whole of `stream` as a content: in memory while small. Raises ReadError on a bomb."""
    guarded = _guard(stream, budget, packed)
    head: list[bytes] = []
    size = 0
    for chunk in guarded:
        head.append(chunk)
        size += len(chunk)
        if size > _SMALL:
            return SpoolContent(_rejoined(head, guarded), budget, compressed_size=packed)
    budget.spend_expanded(size)
    return BytesContent(b"".join(head))


def _rejoined(head: list[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    yield from head
    head.clear()
    yield from rest


def _guard(stream: Iterator[bytes], budget: Budget, packed: int) -> Iterator[bytes]:
    produced = 0
    for chunk in stream:
        produced += len(chunk)
        if produced > BOMB_FLOOR and produced > min(BOMB_RATIO, budget.limits.ratio) * max(1, packed):
            note = f"{packed} bytes expand to more than {produced >> 20} MiB"
            raise ReadError(GapReason.TOO_LARGE, note, check="archive.bomb")
        yield chunk
