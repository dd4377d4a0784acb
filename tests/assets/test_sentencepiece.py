"""SentencePiece models, built field by field."""

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.assets.identify import identify
from hauberk.assets.tensors.sentencepiece import read
from hauberk.core import Asset, Fact

NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def message(field: int, body: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(body)) + body


def piece(text: str, kind: int = NORMAL) -> bytes:
    return message(1, message(1, text.encode()) + b"\x15" + struct.pack("<f", -1.0) + b"\x18" + varint(kind))


GOOD = piece("<unk>", UNKNOWN) + piece("<s>", CONTROL) + piece("</s>", CONTROL) + piece("a") + piece("<0x0A>", BYTE)


def checks(data: bytes) -> set[str]:
    try:
        asset = Asset("m.model", format="sentencepiece", content=BytesContent(data))
        return {i.check for i in read(asset, Budget()) if isinstance(i, Fact)}
    except ReadError as error:
        return {error.check or error.reason}


def charsmap(body: bytes) -> bytes:
    return message(3, message(1, b"nmt_nfkc") + message(2, body))


def test_a_good_model_is_quiet_and_recognised() -> None:
    data = GOOD + charsmap(struct.pack("<I", 8) + bytes(12))
    assert checks(data) == set()
    assert identify(BytesContent(data), "tokenizer.bin") == ("sentencepiece",)


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (GOOD + piece("</s>", CONTROL), "sentencepiece.twins"),
        (GOOD + piece("a"), "sentencepiece.twins"),
        (GOOD + piece("x", 9), "sentencepiece.piece"),
        (GOOD + piece(""), "sentencepiece.piece"),
        (GOOD + piece("<0x-1>", BYTE), "sentencepiece.piece"),
        (GOOD + piece("x" * 70_000), "sentencepiece.piece"),
        (piece("a") + piece("b"), "sentencepiece.unknown"),
        (GOOD + charsmap(b"\x01\x02"), "sentencepiece.charsmap"),
        (GOOD + charsmap(b"\xff\xff\xff\xff" + bytes(8)), "sentencepiece.charsmap"),
        (GOOD + b"\x0a\xff\xff\xff\xff\x0f", "sentencepiece.malformed"),
        (GOOD + b"\xff" * 12, "sentencepiece.malformed"),
        (GOOD + b"\x0b\x01", "sentencepiece.malformed"),
    ],
)
def test_flaw(data: bytes, wanted: str) -> None:
    assert wanted in checks(data)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_mutations_raise_nothing_else(data: st.DataObject) -> None:
    broken = bytearray(GOOD + charsmap(bytes(12)))
    for _ in range(data.draw(st.integers(1, 5))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ReadError):
        list(read(Asset("m.model", content=BytesContent(bytes(broken))), Budget()))
