"""Readers of compressed streams: gzip, bzip2, xz, lzma, Zstandard, LZ4, zlib. What comes out is one member."""

from collections.abc import Callable, Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.containers.decompress import Consumed, bz2_codec, expand, inflate, unlz4, unpack, unzstd, xz_codec
from hauberk.assets.errors import Malformed, ReadError, Truncated
from hauberk.assets.quoting import quote
from hauberk.assets.source.loose import without_padding
from hauberk.core import Asset, Content, Fact, Gap

_SUFFIXES = (".gz", ".gzip", ".bz2", ".xz", ".lzma", ".zst", ".zstd", ".lz4", ".zlib", ".z")
_TARS = {".tgz": ".tar", ".tbz": ".tar", ".tbz2": ".tar", ".txz": ".tar", ".tzst": ".tar"}
_MAX_STREAMS = 10_000
_OLD_JOBLIB, _OLD_JOBLIB_HEADER = b"ZF0x", 21  # the mark, then the length in 19 places
_Stream = Callable[[Content, Consumed], Iterator[bytes]]


def read_gzip(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Gzip, all its members as one stream."""
    yield from _read(asset, budget, lambda content, seen: inflate(content, seen, 31), b"\x1f\x8b")


def read_zlib(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """A zlib stream, as joblib writes it; streams one behind the other are taken as one."""
    assert asset.content is not None
    start = 0
    if asset.content.read(0, 4) == _OLD_JOBLIB:
        start = _OLD_JOBLIB_HEADER + (asset.content.read(_OLD_JOBLIB_HEADER, 1) == b" ")
    yield from _read(asset, budget, lambda content, seen: inflate(content, seen, 15), b"\x78", start)


def read_bz2(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Bzip2."""
    yield from _read(asset, budget, lambda content, seen: unpack(content, seen, bz2_codec()), b"BZh")


def read_xz(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Xz, and lzma-alone."""
    yield from _read(asset, budget, lambda content, seen: unpack(content, seen, xz_codec()), b"\xfd7zXZ\x00")


def read_zstd(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Zstandard."""
    yield from _read(asset, budget, unzstd, b"\x28\xb5\x2f\xfd")


def read_lz4(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """LZ4 frames."""
    yield from _read(asset, budget, unlz4, b"\x04\x22\x4d\x18")


def inner_name(name: str) -> str:
    """The name without the suffix of its compression: model.pkl.gz holds model.pkl."""
    base = name.rsplit("/", 1)[-1]
    stem, dot, suffix = base.rpartition(".")
    if not stem:
        return base
    suffix = (dot + suffix).lower()
    return stem + _TARS[suffix] if suffix in _TARS else (stem if suffix in _SUFFIXES else base)


class _Streams:
    """The streams of one file, one behind the other; stops at the first that is not one."""

    def __init__(self, content: Content, stream: _Stream, magic: bytes, budget: Budget) -> None:
        self.content, self.stream, self.magic, self.budget = content, stream, magic, budget
        self.seen = Consumed()
        self.problem: ReadError | None = None
        self.produced = 0

    def chunks(self) -> Iterator[bytes]:
        for number in range(_MAX_STREAMS):
            self.budget.check_time()
            if number and not self._more():
                return
            start = self.seen.offset
            self.seen.end = None
            try:
                for chunk in self.stream(self.content, self.seen):
                    self.produced += len(chunk)
                    self.budget.check_time()
                    yield chunk
            except (Malformed, Truncated) as error:
                self.problem = error
                self.seen.offset = start
                return

    def _more(self) -> bool:
        # Readers of gzip and xz pass over zero padding between streams.
        rest = without_padding(self.content, self.seen.offset, self.content.size, self.budget)
        if rest is None or rest.read(0, len(self.magic)) != self.magic:
            return False
        self.seen.offset = rest.start
        return True


def _read(asset: Asset, budget: Budget, stream: _Stream, magic: bytes, start: int = 0) -> Iterator[Fact | Asset | Gap]:
    assert asset.content is not None
    streams = _Streams(asset.content, stream, magic, budget)
    streams.seen.offset = start
    content = expand(streams.chunks(), budget, asset.content.size)
    problem = streams.problem
    if content.size or problem is None:
        yield asset.child(inner_name(asset.name), content)
    if problem is None or (streams.seen.offset > start and isinstance(problem, Malformed)):
        yield from _behind(asset, streams.seen.offset, budget)
    elif problem.reason:
        yield Gap(asset.uri, problem.reason, problem.note, offset=problem.offset)


def _behind(asset: Asset, end: int, budget: Budget) -> Iterator[Fact | Asset]:
    assert asset.content is not None
    rest = without_padding(asset.content, end, asset.content.size, budget)
    if rest is not None:
        note = f"{rest.size} bytes follow the compressed stream"
        yield Fact("compressed.trailing-data", note, offset=rest.start, where="end", quote=quote(rest.read(0, 48), 80))
        yield asset.child("(bytes behind the stream)", rest)
