"""7z files made by py7zr 1.1.4: m.pkl and d/b.txt, each with another chain of coders."""

import base64
import contextlib
import lzma
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget, Limits
from hauberk.assets.containers.sevenzip import read
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.core import Asset, Fact, Gap, GapReason

FILES = {
    "lzma2": (
        "N3q8ryccAARALox+iwAAAAAAAAAUAAAAAAAAANqdVgHgAD8AF10AQAELJcxA4cFo9azc5hZqJQZ3Hi0kMAAA4ABsAGRdAACBMweu"
        "D8/88GwP6+qcvwzcnG/F1McTJlhcPWhAmc6LYkZMv2oBwvlng9V3uVEPm0TUDXd4sfxGueB+T/WboDTkyb72/A+scMtrF4/iJS/G"
        "UMLaqsRrT7ohE3QDLxF4yp4AAAAAFwYfAQlsAAcLAQABISEBGAxtAAA="
    ),
    "lzma1": (
        "N3q8ryccAARYHCpcjAAAAAAAAAAUAAAAAAAAAL7AvlMAQAELJcxA4cFo9azc5hZqJQZ3Hi7Z1Av//zI8AADgAHAAZl0AAIEzB64P"
        "z+swFA/r6p4BDWIDjdNJ7OGP7xKyGcnqp9+vczvIlw7sUHZZAZRCqVDMJNxPFQqD+83LNpPbbDBL9RG9OnrgLM5d5BeKPIlr8VWe"
        "uIidO21XgOreNJAKcinWg6nmAAAAABcGHgEJbgAHCwEAASEhARgMcQAA"
    ),
    "copy": (
        "N3q8ryccAATzk3gDQAAAAAAAAABpAAAAAAAAAJw9iGaABH0uaGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVs"
        "bG8gd29ybGQgaGVsbG8gd29ybGQgAQQGAAEJQAAHCwEAAQEADEAACA0CCQQKAY/LU43WAXZCAAAFAhkBABEdAG0ALgBwAGsAbAAA"
        "AGQALwBiAC4AdAB4AHQAAAAUEgEA8O1N25d53QHw8E3bl3ndARUKAQAggICBIICAgQAA"
    ),
    "bzip2": (
        "N3q8ryccAASVRgFnrAAAAAAAAAAUAAAAAAAAADGsVBdCWmg5MUFZJlNZQ1vXmAAAH9HABABAAQZEkIJAACAAMQNA0BFQDCXsITFy"
        "kpEBSUnBLSU4l4+LuSKcKEghrevMAOAAbABjXQAAgTMHrg/R/+M9QMCQzuXLdvZEfjT/XXGNAr73MbAcviJc0ahDDoVS5+q0gQ9D"
        "lmPaayIxW7xAuheiYXsTBKcbdh2o9+KCOre4S/AhnjcpWjv9uiPL16hoDfqjVa118/S1AAAAFwZBAQlrAAcLAQABISEBGAxtAAA="
    ),
    "deflate": (
        "N3q8ryccAAQG3ldefwAAAAAAAAAUAAAAAAAAAK7hgGdrYKnVy0jNyclXKM8vyklRIJUNAOAAbABjXQAAgTMHrg/PObAMB8hDbALX"
        "hTqEDOXOiBEPLBMw0sXyKGsV9ukAcQuQOowjAtANrLuCLCabhO/9D4kcRlUh3XD2lGTtStwW8S/93gEVKLhbsVKbg69jpYDzLwy1"
        "x98wMz9XAAAAFwYUAQlrAAcLAQABISEBGAxtAAA="
    ),
    "delta": (
        "N3q8ryccAATgCEU6kwAAAAAAAAAUAAAAAAAAAIkeutDgAD8AGV0AQCEKsblTnqnfkjugw8wjWxgYgEaSqEGAAADgAHQAal0AAIEz"
        "B64P0B3SfJ85EJxxRO9uAt1kswtxPs3MF6kwzFfs7iIIO6yYbuCy9LwtaTfL5D902xu/rTAD83vdp+pi/AeaaGF1IjGMLdE/yFHv"
        "CIhfJMLL3FA9C5yUachwfkDV9nsZy1uZGwAAAAAXBiEBCXIABwsBAAEhIQEYDHUAAA=="
    ),
    "bcj": (
        "N3q8ryccAARu2lEakQAAAAAAAAAUAAAAAAAAACjocrrgAD8AF10AQAELJcxA4cFo9azc5hZqJQZ3Hi0kMAAA4AB0AGpdAACBMweu"
        "D8/88GwP1GpefeXGxrgTCkhVffms2tGUzCFw+0gVdYanvXwyoECBFJoWVRhe9/rCVxnRJfK0RjllzcnR2zwIjTaxsVImXPn8Dzif"
        "GvoxU7tFbG4ClbZk/GuncXKa0k49Vx0AAAAAFwYfAQlyAAcLAQABISEBGAx1AAA="
    ),
    "zstd": (
        "N3q8ryccAASBZ2DckAAAAAAAAAAUAAAAAAAAAFGCD6sotS/9AFi1AACAgAR9LmhlbGxvIHdvcmxkIAEAelSW4AB0AGldAACBMweu"
        "D8/88GwP6+qep2Qn2HMG2KGTOQ9CWMybxayRCIn93w9usH+f8ElgzKzqqT4WCSWt5MfFCUrDTULES+Jq6huPCD3FY94e4ZobbmvV"
        "ypSx14lp+kIobUcMT8BhcvBVOL2zoAAAAAAXBh8BCXEABwsBAAEhIQEYDHUAAA=="
    ),
    "aes": (
        "N3q8ryccAATMyVpPqgAAAAAAAAAWAAAAAAAAAMSib2zujhh4KKgl/uZ1AG+wNVoPSkVU9kgHZzHtUSILVfHte+AAiACCXQAAgTMH"
        "rg/QDv4U+LSUUg/LIUIzDUBftuMryWHZcb5b7O367EDKp+gtOBc1SzGb92eTtjQh7qbGyqJ42HtOCX3/INitA3Rgtd0m4WVxJO5R"
        "Uj2uWyLtwkBLMchY5ec/uCtUbJTZLTzhZIxjNrnE5u5ngedeHEM2rxMv5b3qZmYYAAAAABcGIAEJgIoABwsBAAEhIQEYDICJAAA="
    ),
}
PICKLE = b"\x80\x04}."
TEXT = b"hello world " * 5


def archive(coders: str) -> bytes:
    return base64.b64decode(FILES[coders])


def items(data: bytes, limits: Limits | None = None) -> list[Fact | Asset | Gap]:
    return list(read(Asset(uri="a.7z", name="a.7z", content=BytesContent(data)), Budget(limits)))


def members(data: bytes) -> dict[str, bytes]:
    found = [item for item in items(data) if isinstance(item, Asset)]
    return {item.name: item.content.read() for item in found if item.content is not None}


@pytest.mark.parametrize("coders", ["lzma2", "lzma1", "copy", "bzip2", "deflate", "delta", "bcj", "zstd"])
def test_unpacks_what_py7zr_packed(coders: str) -> None:
    assert members(archive(coders)) == {"m.pkl": PICKLE, "d/b.txt": TEXT}


def test_encrypted_members_are_gaps_by_name() -> None:
    gaps = [item for item in items(archive("aes")) if isinstance(item, Gap)]
    assert [(gap.asset, gap.reason) for gap in gaps] == [
        ("a.7z!/m.pkl", GapReason.ENCRYPTED),
        ("a.7z!/d/b.txt", GapReason.ENCRYPTED),
    ]


def test_a_wrong_start_sum_is_a_fact_and_the_members_are_still_read() -> None:
    data = bytearray(archive("lzma2"))
    data[8] ^= 1
    found = items(bytes(data))
    assert [item.check for item in found if isinstance(item, Fact)] == ["sevenzip.checksum"]
    assert len([item for item in found if isinstance(item, Asset)]) == 2


def test_bytes_behind_the_header_become_a_member() -> None:
    data = archive("lzma2") + b"\x7fELF rest"
    assert members(data)["(bytes behind the end)"] == b"\x7fELF rest"


def test_cut_short() -> None:
    with pytest.raises(ReadError) as caught:
        items(archive("lzma2")[:-20])
    assert caught.value.reason == GapReason.TRUNCATED


def _plain(body: bytes, packed: bytes = b"") -> bytes:
    """A 7z file with an unpacked header `body` behind `packed` streams."""
    block = struct.pack("<QQI", len(packed), len(body), zlib.crc32(body))
    return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(block)) + block + packed + body


def _one_folder(packed: bytes, size: int, coder: bytes) -> bytes:
    def num(value: int) -> bytes:
        return b"\xff" + value.to_bytes(8, "little")

    pack = b"\x06" + num(0) + num(1) + b"\x09" + num(len(packed)) + b"\0"
    unpack = b"\x07\x0b" + num(1) + b"\0" + num(1) + coder + b"\x0c" + num(size) + b"\0"
    names = b"\0" + "a\0".encode("utf-16-le")
    files = b"\x05" + num(1) + b"\x11" + num(len(names)) + names + b"\0"
    return _plain(b"\x01\x04" + pack + unpack + b"\0" + files + b"\0", packed)


def test_a_bomb_is_stopped_and_named() -> None:
    size = 200 << 20
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}]
    squeeze = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=filters)
    packed = b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(40)) + squeeze.flush()
    with pytest.raises(ReadError) as caught:
        items(_one_folder(packed, size, b"\x21\x21\x01\x10"))
    assert caught.value.check == "archive.bomb"


def test_a_huge_dictionary_is_refused() -> None:
    with pytest.raises(ReadError) as caught:
        items(_one_folder(b"\0", 1, b"\x21\x21\x01\x28"))
    assert caught.value.reason == GapReason.TOO_LARGE


@pytest.mark.parametrize("count", [1 << 21, 1 << 63])
def test_a_count_that_cannot_be_is_refused(count: int) -> None:
    body = b"\x01\x05\xff" + count.to_bytes(8, "little")
    with pytest.raises(ReadError) as caught:
        items(_plain(body))
    assert caught.value.check == "sevenzip.header"


def test_a_path_out_of_the_folder_is_a_fact() -> None:
    data = _one_folder(b"x", 1, b"\x01\0").replace("a\0".encode("utf-16-le"), "/\0".encode("utf-16-le"))
    checks = [item.check for item in items(data) if isinstance(item, Fact)]
    assert checks == ["archive.path-escape"]


@given(st.sampled_from(sorted(FILES)), st.lists(st.tuples(st.integers(0, 223), st.integers(0, 255)), max_size=8))
@settings(max_examples=150, deadline=None)
def test_mutations_raise_read_error_only(coders: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(archive(coders))
    for at, value in changes:
        data[at % len(data)] = value
    try:
        found = items(bytes(data), Limits(members=100, expanded=4 << 20, seconds=5))
    except ReadError:
        return
    assert len(found) < 1000


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_random_headers_raise_read_error_only(body: bytes) -> None:
    found: list[Fact | Asset | Gap] = []
    with contextlib.suppress(ReadError):
        found = items(_plain(b"\x01" + body), Limits(members=100, expanded=4 << 20, seconds=5))
    assert len(found) < 1000
