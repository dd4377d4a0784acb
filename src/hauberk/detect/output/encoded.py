"""Readable text inside base64, hexadecimal and percent encoding. Bounded: so many pieces, so many characters of each."""

import base64
import binascii
import re
from urllib.parse import unquote

import msgspec

MAX_PIECES = 64
NESTED = 2  # encodings inside one another
MAX_LENGTH = 65_536  # characters of one encoded piece
SHORTEST = 8  # characters of an encoded value
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,65536}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[\s:,]?){8,32768}")
_READABLE = 0.9  # share of printable characters


class Decoded(msgspec.Struct, frozen=True):
    """What the characters `start` to `end` of a text decode to."""

    start: int
    end: int
    text: str


def decoded(text: str) -> tuple[Decoded, ...]:
    """The encoded pieces of `text` that decode to something readable."""
    found: list[Decoded] = []
    for pattern, decode in ((_HEX, _from_hex), (_BASE64, _from_base64)):
        for number, match in enumerate(pattern.finditer(text)):
            if number >= MAX_PIECES:
                break
            plain = decode(match[0])
            if plain:
                found.append(Decoded(match.start(), match.end(), plain))
    return tuple(found)


def value_texts(value: str) -> tuple[str, ...]:
    """`value` as it stands and as it reads percent-decoded, from base64, base32 and hexadecimal, one inside another."""
    value = value[:MAX_LENGTH]
    plain = unquote(value)
    texts = dict.fromkeys((value, plain, plain.replace("+", " ")))
    for _ in range(NESTED):
        for candidate in tuple(texts):
            compact = candidate.strip().replace(" ", "+")
            texts.update(dict.fromkeys(filter(None, (read(compact) for read in (_from_base64, _from_hex, _from_base32)))))
    return tuple(texts)


def _from_hex(piece: str) -> str:
    try:
        return _readable(bytes.fromhex(re.sub(r"[\s:,]", "", piece)))
    except ValueError:
        return ""


def _from_base64(piece: str) -> str:
    plain = piece.rstrip("=").replace("-", "+").replace("_", "/")
    if len(plain) < SHORTEST or len(plain) % 4 == 1 or not plain.isascii():
        plain = plain[: len(plain) - len(plain) % 4]
        if len(plain) < SHORTEST or not plain.isascii():
            return ""
    try:
        return _readable(base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True))
    except (binascii.Error, ValueError):
        return ""


def _from_base32(piece: str) -> str:
    plain = piece.rstrip("=").upper()
    if len(plain) < SHORTEST or not plain.isascii():
        return ""
    try:
        return _readable(base64.b32decode(plain + "=" * (-len(plain) % 8)))
    except (binascii.Error, ValueError):
        return ""


def _readable(data: bytes) -> str:
    """`data` as text if that is what it is: UTF-8, printable, mostly letters and digits."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    good = sum(c.isprintable() or c in "\r\n\t" for c in text)
    letters = sum(c.isalnum() or c == " " for c in text)
    return text if text and good >= _READABLE * len(text) and letters * 2 >= len(text) else ""
