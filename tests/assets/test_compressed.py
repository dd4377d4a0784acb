"""Compressed streams: whole, several in a row, cut short, with something behind them, and bombs."""

import bz2
import gzip
import lzma
import time
import zlib
from collections.abc import Callable

import lz4.frame
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget, Limits
from hauberk.assets.containers import compressed
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.assets.identify import identify
from hauberk.core import Asset, Fact, Gap, GapReason

BODY = b"hello world " * 200
Reader = Callable[[Asset, Budget], object]
CODECS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "gzip": (lambda data: gzip.compress(data, mtime=0), "read_gzip"),
    "zlib": (zlib.compress, "read_zlib"),
    "bz2": (bz2.compress, "read_bz2"),
    "xz": (lzma.compress, "read_xz"),
    "lzma": (lambda data: lzma.compress(data, lzma.FORMAT_ALONE), "read_xz"),
    "zstd": (lambda data: zstandard.ZstdCompressor().compress(data), "read_zstd"),
    "lz4": (lz4.frame.compress, "read_lz4"),
}


def items(codec: str, data: bytes, name: str = "a.bin", limits: Limits | None = None) -> list[Fact | Asset | Gap]:
    reader = getattr(compressed, CODECS[codec][1])
    return list(reader(Asset(uri=name, name=name, content=BytesContent(data)), Budget(limits)))


def bodies(found: list[Fact | Asset | Gap]) -> list[bytes]:
    return [item.content.read() for item in found if isinstance(item, Asset) and item.content is not None]


@pytest.mark.parametrize("codec", CODECS)
def test_unpacks_one_stream(codec: str) -> None:
    assert bodies(items(codec, CODECS[codec][0](BODY))) == [BODY]


@pytest.mark.parametrize("codec", [name for name in CODECS if name != "lzma"])
def test_streams_in_a_row_are_one(codec: str) -> None:
    pack = CODECS[codec][0]
    found = items(codec, pack(BODY) + pack(b"and more"))
    assert bodies(found) == [BODY + b"and more"]
    assert len(found) == 1


@pytest.mark.parametrize("gap", [b"", b" "])
def test_joblib_before_0_10(gap: bytes) -> None:
    data = b"ZF" + hex(len(BODY)).encode().ljust(19) + gap + zlib.compress(BODY)
    assert identify(BytesContent(data), "a.joblib") == ("zlib",)
    assert bodies(items("zlib", data)) == [BODY]


@pytest.mark.parametrize("text", [b"x^2 + y^2 = 1\n", b"hC is not a stream", b"x\x9c\xff\xff\xff\xff"])
def test_what_only_begins_like_zlib_is_none(text: bytes) -> None:
    assert "zlib" not in identify(BytesContent(text), "a.bin")


@pytest.mark.parametrize("padding", [8, 200_000])
def test_zero_padding_between_streams_hides_nothing(padding: int) -> None:
    found = items("gzip", gzip.compress(BODY) + bytes(padding) + gzip.compress(b"and more"))
    assert bodies(found) == [BODY + b"and more"]


@pytest.mark.parametrize("codec", ["gzip", "zlib", "bz2", "xz", "lz4"])
def test_bytes_behind_the_stream_become_a_member(codec: str) -> None:
    found = items(codec, CODECS[codec][0](BODY) + b"\x80\x04N. a pickle behind the end")
    assert bodies(found) == [BODY, b"\x80\x04N. a pickle behind the end"]
    assert [item.check for item in found if isinstance(item, Fact)] == ["compressed.trailing-data"]


@pytest.mark.parametrize("codec", ["gzip", "zlib", "bz2", "xz", "lz4"])
def test_zero_padding_behind_the_stream_is_quiet(codec: str) -> None:
    assert len(items(codec, CODECS[codec][0](BODY) + bytes(100))) == 1


@pytest.mark.parametrize("codec", ["gzip", "zlib", "bz2", "xz", "lz4"])
def test_a_stream_cut_short_shows_what_came_out(codec: str) -> None:
    noise = bytes((n * n * 31 + n // 7) % 256 for n in range(200_000))
    found = items(codec, CODECS[codec][0](noise)[:-30])
    assert [item.reason for item in found if isinstance(item, Gap)] == [GapReason.TRUNCATED]
    for body in bodies(found):
        assert noise.startswith(body)


@pytest.mark.parametrize("codec", CODECS)
def test_what_is_no_stream_is_a_gap(codec: str) -> None:
    head = CODECS[codec][0](BODY)[:6]
    try:
        found = items(codec, head + b"\xff" * 60)
    except ReadError:
        return
    assert any(isinstance(item, Gap) for item in found)


@pytest.mark.parametrize(
    ("name", "inner"),
    [("m.pkl.gz", "m.pkl"), ("layer.tgz", "layer.tar"), ("a/b/m.joblib", "m.joblib"), (".gz", ".gz"), ("m.tar.xz", "m.tar")],
)
def test_the_name_of_what_comes_out(name: str, inner: str) -> None:
    found = [item.name for item in items("gzip", gzip.compress(b"x"), name) if isinstance(item, Asset)]
    assert found == [inner]


@pytest.mark.parametrize("codec", ["gzip", "zlib", "bz2", "xz", "zstd"])
def test_a_bomb_stops_early(codec: str) -> None:
    squeezer = {
        "gzip": lambda: zlib.compressobj(9, zlib.DEFLATED, 31),
        "zlib": lambda: zlib.compressobj(9),
        "bz2": bz2.BZ2Compressor,
        "xz": lambda: lzma.LZMACompressor(preset=0),
        "zstd": lambda: zstandard.ZstdCompressor().compressobj(),
    }[codec]()
    block = bytes(1 << 20)
    data = b"".join(squeezer.compress(block) for _ in range(64)) + squeezer.flush()
    started = time.process_time()
    with pytest.raises(ReadError) as caught:
        items(codec, data)
    assert caught.value.check == "archive.bomb"
    assert time.process_time() - started < 5


def test_the_budget_counts_all_streams_together() -> None:
    with pytest.raises(ReadError) as caught:
        items("gzip", gzip.compress(bytes(range(256)) * 4096), limits=Limits(expanded=1 << 19))
    assert caught.value.check == "archive.bomb"


def test_an_xz_that_wants_gigabytes_of_memory_is_refused() -> None:
    data = lzma.compress(b"x", filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}])
    # Byte 15 of this header holds the dictionary's size; its block header ends with a sum over twelve bytes.
    at = data.index(b"\x21\x01") + 2
    header = bytearray(data[12:24])
    header[at - 12] = 40
    header[8:12] = zlib.crc32(bytes(header[:8])).to_bytes(4, "little")
    with pytest.raises(ReadError) as caught:
        items("xz", data[:12] + bytes(header) + data[24:])
    assert caught.value.reason == GapReason.TOO_LARGE


def test_what_comes_out_may_be_larger_than_memory_keeps() -> None:
    noise = zlib.compress(b"seed") * 400_000
    found = items("gzip", gzip.compress(noise, 1))
    content = next(item.content for item in found if isinstance(item, Asset))
    assert content is not None
    assert content.size == len(noise)
    assert content.read(1_000_000, 64) == noise[1_000_000:1_000_064]


@given(
    st.sampled_from(sorted(CODECS)),
    st.binary(max_size=200),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4),
)
@settings(max_examples=150, deadline=None)
def test_mutations_raise_read_error_only(codec: str, body: bytes, changes: list[tuple[int, int]]) -> None:
    data = bytearray(CODECS[codec][0](body) + body)
    for at, value in changes:
        data[at % len(data)] = value
    try:
        found = items(codec, bytes(data), limits=Limits(expanded=4 << 20, seconds=5))
    except ReadError:
        return
    assert len(found) <= 3
