"""SentencePiece models: a protobuf of pieces. Twins, impossible types, byte pieces that name no byte, broken character maps."""

import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed, ReadError
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Content, Fact, Gap, GapReason

_PIECE, _TRAINER, _NORMALIZER = 1, 2, 3
_MOST_PIECES = 1 << 21
_LONGEST_PIECE = 1 << 16
_UNKNOWN, _CONTROL, _USER_DEFINED, _BYTE = 2, 3, 4, 6
_BYTE_PIECE = re.compile(rb"<0x[0-9A-F]{2}>")


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """What of the pieces contradicts itself."""
    content = asset.content
    assert content is not None
    cursor = Cursor(content)
    seen: dict[bytes, int] = {}
    unknown = number = 0
    while cursor.remaining:
        budget.tick()
        at = cursor.offset
        field, start, end = _field(cursor)
        if field == _PIECE:
            if number >= _MOST_PIECES:
                raise ReadError(GapReason.TOO_LARGE, f"more than {_MOST_PIECES} pieces", offset=at)
            text, kind = _piece(content, start, end)
            unknown += kind == _UNKNOWN
            yield from _piece_facts(text, kind, number, seen, at)
            number += 1
        elif field == _NORMALIZER:
            yield from _charsmap(content, start, end)
    if number and unknown != 1:
        yield Fact("sentencepiece.unknown", f"{unknown} pieces for unknown text, one is wanted", offset=0, where="pieces")


def _piece_facts(text: bytes, kind: int, number: int, seen: dict[bytes, int], at: int) -> Iterator[Fact]:
    where = f"pieces[{number}]"
    shown = quote(text, 60)
    if not text or len(text) > _LONGEST_PIECE:
        yield Fact("sentencepiece.piece", f"a piece of {len(text)} bytes", offset=at, where=where, quote=shown)
    if not 1 <= kind <= 6:
        yield Fact("sentencepiece.piece", f"the piece has the type {kind}", offset=at, where=where, quote=shown)
    if kind == _BYTE and not _BYTE_PIECE.fullmatch(text):
        yield Fact("sentencepiece.piece", "a byte piece that names no byte", offset=at, where=where, quote=shown)
    earlier = seen.setdefault(text, number)
    if earlier != number:
        special = kind in {_UNKNOWN, _CONTROL, _USER_DEFINED}
        note = f"the pieces {earlier} and {number} have one text"
        yield Fact("sentencepiece.twins", note, offset=at, where=where, quote=shown, attrs={"special": special})


def _varint(cursor: Cursor) -> int:
    value = shift = 0
    while True:
        byte = cursor.u8()
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7
        if shift > 63:
            raise Malformed("a number of more than ten bytes", offset=cursor.offset, check="sentencepiece.malformed")


def _field(cursor: Cursor) -> tuple[int, int, int]:
    """The number of the next field and where its bytes lie; a field without length gives its value as start and end."""
    tag = _varint(cursor)
    wire = tag & 7
    if wire == 0:
        value = _varint(cursor)
        return tag >> 3, value, value
    length = {1: 8, 5: 4}.get(wire, -1) if wire != 2 else _varint(cursor)
    if length < 0 or length > cursor.remaining:
        note = f"a field of {length} bytes, {cursor.remaining} are left" if wire == 2 else f"a field of the wire type {wire}"
        raise Malformed(note, offset=cursor.offset, check="sentencepiece.malformed")
    start = cursor.offset
    cursor.skip(length)
    return tag >> 3, start, cursor.offset


def _piece(content: Content, start: int, end: int) -> tuple[bytes, int]:
    cursor = Cursor(content, start, end)
    text, kind = b"", 1
    while cursor.remaining:
        field, first, last = _field(cursor)
        if field == 1:
            text = content.read(first, min(last - first, _LONGEST_PIECE + 1))
        elif field == 3:
            kind = first
    return text, kind


def _charsmap(content: Content, start: int, end: int) -> Iterator[Fact]:
    cursor = Cursor(content, start, end)
    while cursor.remaining:
        field, first, last = _field(cursor)
        if field == 2 and last > first:
            size = int.from_bytes(content.read(first, 4), "little") if last - first >= 4 else -1
            if size < 0 or size % 4 or size > last - first - 4:
                note = f"a character map of {last - first} bytes that claims a table of {size}"
                yield Fact("sentencepiece.charsmap", note, offset=first, where="normalizer_spec", quote=str(size))
