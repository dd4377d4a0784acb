"""Pictures are quiet; what follows their end is not."""

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.native.media import read
from hauberk.core import Asset, Fact


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13)) + chunk(b"IDAT", b"x" * 50) + chunk(b"IEND")
JPEG = b"\xff\xd8\xff\xe0" + bytes(40) + b"\xff\xd9"
WAVE = b"RIFF" + struct.pack("<I", 36) + b"WAVE" + bytes(32)


def items(data: bytes) -> list[Fact | Asset]:
    return list(read(Asset(uri="a.png", name="a.png", content=BytesContent(data)), Budget()))


@pytest.mark.parametrize("data", [PNG, JPEG, WAVE, PNG + b"\r\n", b"GIF89a rest"])
def test_plain_media_are_quiet(data: bytes) -> None:
    assert items(data) == []


@pytest.mark.parametrize("data", [PNG, JPEG, WAVE])
def test_a_script_behind_the_end_is_found(data: bytes) -> None:
    payload = b"#!/bin/sh\necho from behind the picture\n"
    fact, member = items(data + payload)
    assert isinstance(fact, Fact)
    assert fact.attrs["payload"] == "script"
    assert isinstance(member, Asset)
    assert member.content is not None
    assert member.content.read() == payload


@given(st.binary(max_size=200), st.sampled_from([PNG, JPEG, WAVE]))
@settings(max_examples=150, deadline=None)
def test_any_bytes(noise: bytes, seed: bytes) -> None:
    assert len(items(seed[:12] + noise)) <= 2
