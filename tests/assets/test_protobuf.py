"""The wire-format walker: what it follows, what it refuses, and that nothing else escapes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import Malformed, ReadError, Truncated
from hauberk.assets.graphs.protobuf import MAX_DEPTH, Field, Wire


class Counting:
    """A content of zeros that counts the bytes read of it."""

    def __init__(self, head: bytes, size: int) -> None:
        self.head, self.size, self.read_bytes = head, size, 0

    def read(self, offset: int = 0, length: int = -1) -> bytes:
        length = max(0, min(length if length >= 0 else self.size, self.size - offset))
        self.read_bytes += length
        return (self.head[offset : offset + length] if offset < len(self.head) else b"").ljust(length, b"\0")


def fields(data: bytes) -> list[Field]:
    return list(Wire(BytesContent(data), Budget()).fields())


def test_numbers_and_windows() -> None:
    found = fields(b"\x08\x96\x01" + b"\x12\x03abc" + b"\x1d\x01\x00\x00\x00" + b"\x21\x02\x00\x00\x00\x00\x00\x00\x00")
    assert [(f.number, f.value, f.size) for f in found if f.wire != 2] == [(1, 150, 3), (3, 1, 4), (4, 2, 8)]
    window = next(f for f in found if f.wire == 2)
    assert (window.number, window.start, window.end) == (2, 5, 8)


def test_negative_numbers_are_signed() -> None:
    assert fields(b"\x08" + b"\xff" * 9 + b"\x01")[0].signed == -1


@pytest.mark.parametrize(
    ("data", "error", "check"),
    [
        (b"\x12\x05ab", Truncated, ""),
        (b"\x08\x80", Truncated, ""),
        (b"\x12\x80\x80\x80\x80\x10", Malformed, "protobuf.length"),  # 4 GiB: no truncation explains it
        (b"\x08" + b"\xff" * 11, Malformed, "protobuf.malformed"),
        (b"\x00\x01", Malformed, "protobuf.malformed"),
        (b"\x0f\x01", Malformed, "protobuf.malformed"),
        (b"\x0c", Malformed, "protobuf.malformed"),
        (b"\x0b\x14", Malformed, "protobuf.malformed"),
        (b"\x0b" * 500, Malformed, "protobuf.too-deep"),
    ],
)
def test_refuses(data: bytes, error: type[ReadError], check: str) -> None:
    with pytest.raises(error) as raised:
        fields(data)
    assert raised.value.check == check


def test_inner_length_past_its_message_is_malformed() -> None:
    wire = Wire(BytesContent(b"\x0a\x03\x12\x7fx" + b"\x08\x01"), Budget())
    outer = next(iter(wire.fields()))
    with pytest.raises(Malformed) as raised:
        list(wire.inside(outer, 0))
    assert raised.value.check == "protobuf.length"


def test_group_is_passed_over() -> None:
    assert [f.number for f in fields(b"\x0b\x10\x01\x12\x01x\x0c\x08\x01")] == [1]


def test_depth_is_bounded() -> None:
    wire = Wire(BytesContent(b"\x08\x01"), Budget())
    with pytest.raises(Malformed):
        list(wire.fields(0, 2, MAX_DEPTH + 1))


def test_large_payload_is_not_read() -> None:
    size = 1 << 30
    content = Counting(b"\x12" + b"\x80\x80\x80\x80\x04", size + 6)  # one field of 1 GiB
    assert [f.size for f in Wire(content, Budget()).fields()] == [size]
    assert content.read_bytes < 1 << 20


def test_packed_numbers() -> None:
    wire = Wire(BytesContent(b"\x0a\x03\x01\x96\x01"), Budget())
    assert list(wire.numbers(next(iter(wire.fields())))) == [1, 150]


@given(st.binary(max_size=400))
def test_nothing_but_read_errors_escape(data: bytes) -> None:
    wire = Wire(BytesContent(data), Budget())
    try:
        for field in wire.fields():
            assert 0 <= field.start <= field.end <= len(data)
            if field.wire == 2:
                list(wire.inside(field, 1))
                list(wire.numbers(field))
    except ReadError:
        pass
