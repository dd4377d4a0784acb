"""TFLite and the flatbuffer walker, on models that the flatbuffers library wrote."""

import base64
import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import Malformed, ReadError
from hauberk.assets.graphs.flatbuffer import Buffer
from hauberk.assets.graphs.tflite import read, read_executorch
from hauberk.assets.identify import identify
from hauberk.core import Asset, Fact, Gap

# One operator from tensor 0, whose four floats are in buffer 1, to tensor 1.
_PLAIN = (
    "eNptjzEOwjAMRV8gqlBlVRk6dOAQVF0ZGBBTR67BxmEZOQI3CI5rIEhN9GR9+zt2BuB6mSfoGOhJCDuiKngpSemVh7JVgnLzWGpS9YjnjspJOV"
    "c+aK1efK1FTIcKVvTG31tmifVRzYruje69j8WXvrPE9w9r3sNPP3POJbf3vaCx/sZ1tPv5y/95AwOGDBk="
)
_CUSTOM = (
    "eNptjz0KAjEQhb+4IcgSNMUWW1h4BGVbCwu1Emy8hKBgsXhWj+NkMkqETXiZvJk3fz1wPZ0HWNDTkYjM8cKgcwgXK3gLGoG4eJjNsVjlRPPtBH"
    "vBodJBq/Gsa9Wi3FVggs+sXukVNY+qlzetN+24zbr06xVtfjel3dR7JJZaveSsbcb8DfIcX7f75VnyVjY7BO0RjHu9333/zwfgFApN"
)
_FLEX = (
    "eNptjzEOwjAMRV8gqlAVQQaGDh04AoiVgQFlYkJcAIkOSGVj4KgcB8d1UZCa6Mv59ne+3QDXdN7DkoY1kcACLwxah3AkCx/BXCApnhZzLRQ9wX"
    "IHwVFwKnRQaz3rao0odwWY4DP7b/AK2kfh5U3rTfvaZV38eQWb301pt+UekZX+PvRsbMb8zDz13fvS3e7p0XfjXK3tAJV6Vca93nHv//MFySoM"
    "lw=="
)
_BUFFER = (
    "eNqTYGBgCHHzMWZg4GOQYBBhEGDgYeBgYAHyGBg+ALEAEIsA8Q0gZgZiRiDOhdIgOR4kPTxQMRsgdgBiFyR1DAxcYHmQOi4wzQDmMyJhBix8Jq"
    "h5ELt4wPoYkOxigaplgaotMQSpE4DbxQN1fzI2tQYI/oP///+DxGSg7mJgYAPrZ4PyWcAQ5hdUAAAmvgx7"
)
_OPERATOR = (
    "eNqTYGBgCHHzMWZg4GOQYBBhEGDgYeBgYAHyGBi+ALEAEIsA8R0gZgZiRiDOhdIgOR4kPTxQMQcgdgFiDyR1DAxccHVcYH0QcXaoGhhmwMJnAm"
    "IbuH0gM0AAYR8LVC0LVG2JIUidAFge5i4RJDUoag0Q/Af///8HiclA3cfAwAbWzwbls4AhzD+oAABHmgxM"
)
_SHORT = (
    "eNptjzEOwjAMRV8gqlBloQwdOnAIUNcOHRATY6/RjcMycgRuEBxjIEhN9GR9+zt2emC+XAfY09OREHZEVfBUktIpd2WrBGXxWGpS9YjnRmVSzp"
    "UPWqsXX2sR06GCFb3x996zxPqoZkX3Tu69nYovfWeJ7x/WvMdf/pFzLrmD7wWN9Teuo93PX/7PCzNWDJE="
)
_DESCRIBED = (
    "eNptT7EKwjAQfdVQpATp0KGDzmkXqbg6OIiTo3sWHTqUiuni3/oR7vFynpqCCY/j3b13LykBnA7HDTBHiQI5NGZQxACdgDjQEJ6EKWFJsLbtrv"
    "1tsLYyvTP1yt3dcOkq055NTXOysU9H+7T0toQdYR/pgIznQZdxBfMkAv7wiex7Z2n2IcpSolWiHdZBl3+zQi0izUjb/PjDex96C3kXkLI/Fa74"
    "fv4yPi9C+RT0"
)


def unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))


PLAIN = unpacked(_PLAIN)


def facts(data: bytes) -> list[Fact]:
    asset = Asset(uri="m", name="m.tflite", format="tflite", content=BytesContent(data))
    return [item for item in read(asset, Budget()) if isinstance(item, Fact)]


def test_plain_model_is_quiet() -> None:
    assert identify(BytesContent(PLAIN), "m.tflite") == ("tflite",)
    assert facts(PLAIN) == []


@pytest.mark.parametrize(
    ("model", "check", "quoted"),
    [
        (_CUSTOM, "tflite.custom-op", "EvilOp"),
        (_FLEX, "tf.op", "ReadFile"),
        (_BUFFER, "tflite.index", "buffer 99/2"),
        (_OPERATOR, "tflite.index", "operator code 7/1"),
        (_SHORT, "tflite.shape", "[64]"),
        (_DESCRIBED, "metadata.code", "__import__('os').system('id')"),
    ],
)
def test_what_a_model_holds(model: str, check: str, quoted: str) -> None:
    assert (check, quoted) in {(fact.check, fact.quote) for fact in facts(unpacked(model))}


def test_every_truncation_is_noticed() -> None:
    for length in range(8, len(PLAIN) - 8, 3):
        with pytest.raises(Malformed) as raised:
            facts(PLAIN[:length])
        assert raised.value.check in {"flatbuffer.bounds", "flatbuffer.vtable"}


def test_root_outside_the_file() -> None:
    with pytest.raises(Malformed):
        facts(struct.pack("<I", 0x7FFFFF00) + PLAIN[4:])


def test_missing_identifier() -> None:
    with pytest.raises(Malformed):
        facts(PLAIN[:4] + b"XXXX" + PLAIN[8:])


@pytest.mark.parametrize(
    ("tail", "check"),
    [
        (b"\x7fELF\x02\x01\x01" + b"\0" * 100, "tflite.trailing-payload"),
        (b"#!/bin/sh\necho " + b"x" * 100, "tflite.trailing-payload"),
        (bytes(range(1, 200)), "tflite.trailing-data"),
    ],
)
def test_payload_behind_the_model(tail: bytes, check: str) -> None:
    assert [fact.check for fact in facts(PLAIN + b"\0" * 8 + tail)] == [check]


@pytest.mark.parametrize("tail", [b"\0" * 4096, b"PK\x03\x04" + b"labels" * 40, b"x" * 16])
def test_padding_and_the_metadata_zip_are_usual(tail: bytes) -> None:
    assert facts(PLAIN + tail) == []


@settings(deadline=None, max_examples=150)
@given(st.integers(0, len(PLAIN) - 5), st.binary(min_size=1, max_size=4))
def test_mutations_raise_only_read_errors(at: int, change: bytes) -> None:
    with suppress(ReadError):
        facts(PLAIN[:at] + change + PLAIN[at + len(change) :])


def test_claimed_count_is_not_allocated() -> None:
    """A vector's count is checked against the file before anything is made of it."""
    data = bytearray(64)
    data[0:4] = struct.pack("<I", 24)
    data[12:18] = struct.pack("<HHH", 6, 8, 4)  # vtable: one field at offset 4 of a table of 8 bytes
    data[24:32] = struct.pack("<iI", 12, 4)
    data[32:36] = struct.pack("<I", 0xFFFFFFF0)
    table = Buffer(BytesContent(bytes(data)), Budget()).root()
    with pytest.raises(Malformed) as raised:
        table.tables(0)
    assert raised.value.check == "flatbuffer.bounds"


def test_executorch_says_what_it_did_not_read() -> None:
    data = bytearray(64)
    data[0:4] = struct.pack("<I", 56)
    data[4:12] = b"ET12eh00"
    data[12:40] = struct.pack("<IQQQ", 24, 64, 1 << 40, 0)[:28]
    data[48:52] = struct.pack("<HH", 4, 4)
    data[56:60] = struct.pack("<i", 8)
    asset = Asset(uri="m", name="m.pte", format="executorch", content=BytesContent(bytes(data)))
    found = list(read_executorch(asset, Budget()))
    assert "flatbuffer.bounds" in {item.check for item in found if isinstance(item, Fact)}
    assert [item.reason for item in found if isinstance(item, Gap)] == ["unsupported"]
