"""The lines of a journal: JSON with a checksum as its last field, so that damage is seen."""

import re
import zlib
from typing import Any, cast

import msgspec

from hauberk.core.wellformed import well_formed_text
from hauberk.probe.result import Result
from hauberk.probe.targets.target import Reply, Request

LONGEST = 64 << 20
TARGET, ATTACKER, JUDGE = "target", "attacker", "judge"
_CHECK = len(b',"crc":"00000000"}')


class _Record(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="k"):
    pass


class Begin(_Record, frozen=True, omit_defaults=True, tag="begin"):
    """A sitting begins."""

    at: str
    tool: str


class Sent(_Record, frozen=True, omit_defaults=True, tag="sent"):
    """A request is about to go out. Its first `shared` messages are those of the case's request before it.

    `n` numbers the exchanges of a case with `who`, `attempt` the tries of one; `key` is the digest of the whole request.
    """

    i: int
    case: str
    n: int
    key: str
    request: Request
    who: str = TARGET
    attempt: int = 0
    shared: int = 0


class Got(_Record, frozen=True, omit_defaults=True, tag="got"):
    """The reply to it."""

    i: int
    case: str
    n: int
    reply: Reply
    who: str = TARGET


class Failed(_Record, frozen=True, omit_defaults=True, tag="fail"):
    """No reply. `last` when it is not tried again. `tokens` is what it may have cost."""

    i: int
    case: str
    n: int
    fault: str
    note: str
    who: str = TARGET
    last: bool = False
    tokens: int = 0


class Again(_Record, frozen=True, omit_defaults=True, tag="again"):
    """The case begins anew: what was recorded of it before does not count."""

    i: int
    case: str


class Ended(_Record, frozen=True, omit_defaults=True, tag="end"):
    """A case and what came of it. The last one of a case counts."""

    i: int
    result: Result


class Stopped(_Record, frozen=True, omit_defaults=True, tag="stop"):
    """A sitting ends before its plan does."""

    at: str
    why: str


Record = Begin | Sent | Got | Failed | Again | Ended | Stopped

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)
_CASE = re.compile(rb'"i":(\d{1,9}),')


def encoded(record: Record) -> bytes:
    """The line, with its line break."""
    try:
        body = _encoder.encode(record)
    except UnicodeEncodeError:  # a lone surrogate in somebody's answer
        body = _encoder.encode(well(msgspec.to_builtins(record)))
    return b'%b,"crc":"%08x"}\n' % (body[:-1], zlib.crc32(body))


def decoded(line: bytes) -> Record:
    """The record in a line. Raises ValueError with the reason when it is damaged."""
    line = line.rstrip(b"\n")
    body = line[:-_CHECK] + b"}"
    if line[-_CHECK:] != b',"crc":"%08x"}' % zlib.crc32(body):
        raise ValueError("its checksum is another")
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"this version cannot read it: {error}") from error


def case_in(line: bytes) -> int | None:
    """The number of the case that a damaged line was about, where that can still be read."""
    found = _CASE.search(line[:200])
    return int(found.group(1)) if found else None


def well(value: Any) -> Any:
    """`value` (of JSON's kinds) with lone surrogates in its strings written out, which no encoder takes."""
    if isinstance(value, str):
        return well_formed_text(value)
    if isinstance(value, dict):
        return {well(key): well(item) for key, item in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [well(item) for item in cast("list[Any]", value)]
    return value
