"""JSON bodies, decoded within bounds.

What is sent on is encoded anew from what was decoded, so that nobody behind the guard resolves duplicate keys, escapes or
numbers otherwise than the guard did.
"""

import re
from typing import Any, cast

import msgspec

MOST_BYTES = 32 << 20
MOST_DEPTH = 64  # objects and lists inside one another

Body = dict[str, Any]
"""A JSON object as decoded."""

# An escaped backslash, a whole pair, or (the group) half of one.
_HALF = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})",
)
_DECODER = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()


class Malformed(Exception):
    """The bytes are no JSON object within the bounds; the message says why."""


def decode_mended(data: bytes) -> Body:
    """As `decode`, for what an upstream says: half a surrogate pair, as some cut an emoji, becomes U+FFFD."""
    try:
        return decode(data)
    except Malformed:
        mended = _HALF.sub(lambda found: rb"\ufffd" if found[1] else found[0], data)
        if mended == data:
            raise
        return decode(mended)


def decode(data: bytes, *, most_bytes: int = MOST_BYTES, most_depth: int = MOST_DEPTH) -> Body:
    """The JSON object in `data`. Of a repeated key the last value counts. Raises Malformed."""
    if len(data) > most_bytes:
        raise Malformed(f"the body has {len(data)} bytes, over the limit of {most_bytes}")
    try:
        value = _DECODER.decode(data)
    except UnicodeDecodeError as error:
        raise Malformed(f"invalid UTF-8 at byte {error.start} of a string") from error
    except RecursionError as error:
        raise Malformed(f"nested more than {most_depth} deep") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise Malformed(_reason(error)) from error
    if type(value) is not dict:
        raise Malformed("not a JSON object")
    if data.count(b"{") + data.count(b"[") > most_depth and deeper_than(value, most_depth):
        raise Malformed(f"nested more than {most_depth} deep")
    return cast("Body", value)


def encode(value: Any) -> bytes:
    """`value` as JSON in UTF-8."""
    return _ENCODER.encode(value)


def compact(value: Any) -> str:
    """`value` as JSON text."""
    return _ENCODER.encode(value).decode()


def deeper_than(value: Any, limit: int) -> bool:
    """Whether objects and lists in `value` lie more than `limit` inside one another."""
    level: list[Any] = [value]
    for _ in range(limit):
        if not level:
            return False
        inner: list[Any] = []
        for holder in level:
            members: Any = cast("Body", holder).values() if type(holder) is dict else holder
            inner += [member for member in members if type(member) is dict or type(member) is list]
        level = inner
    return bool(level)


def _reason(error: Exception) -> str:
    text = str(error)
    if "truncated" in text:
        return "the JSON ends too early, or an escape names half a surrogate pair"
    return f"invalid JSON: {text}"[:200]
