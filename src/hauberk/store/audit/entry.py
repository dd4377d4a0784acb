"""One entry as a line: the leaf hash in hex, a space, the entry as JSON. The hash covers the JSON bytes exactly.

Each entry names its number and the hash of the one before it, so that the lines are a chain; the hashes are the leaves of the
Merkle tree, so that one signed root covers every entry before it.
"""

import re

import msgspec

from hauberk.store.audit.merkle import leaf_hash

FIRST = bytes(32)
LONGEST = 1 << 20
_HASH = re.compile(rb"[0-9a-f]{64}")


class Entry(msgspec.Struct, frozen=True):
    """One thing that happened. `time` is ISO 8601 UTC; `prev` the leaf hash of the entry before, in hex."""

    seq: int
    time: str
    type: str  # request, admin, key, approval, anomaly, log
    prev: str
    data: dict[str, object]


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Entry).decode


def encoded(entry: Entry) -> tuple[bytes, bytes]:
    """The line and its leaf hash."""
    body = _encode(entry)
    digest = leaf_hash(body)
    return digest.hex().encode() + b" " + body + b"\n", digest


def broken(line: bytes) -> str:
    """Why `line` is no intact entry; empty when its hash is that of its bytes.

    The hash is compared as text: `bytes.fromhex` would take capitals and spaces too, and a changed byte would go unseen.
    """
    if len(line) < 67 or line[64:65] != b" ":
        return "the line is no entry"
    if _HASH.fullmatch(line[:64]) is None:
        return "the line does not begin with a hash"
    stated = leaf_hash(line[65:].rstrip(b"\n")).hex().encode()
    return "" if line[:64] == stated else "the entry was changed: its hash is another"


def decoded(line: bytes) -> tuple[Entry, bytes]:
    """The entry in `line` and its leaf hash. Raises ValueError on a line that is none."""
    why = broken(line)
    if why:
        raise ValueError(why)
    try:
        return _decode(line[65:].rstrip(b"\n")), bytes.fromhex(line[:64].decode())
    except msgspec.DecodeError as error:
        raise ValueError(f"the entry cannot be read: {error}") from error
