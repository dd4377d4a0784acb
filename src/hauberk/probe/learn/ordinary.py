"""Ordinary texts: those that ship (`data/`, see its README) and the user's own traffic."""

import io
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

from hauberk.assets.chat import Role
from hauberk.core.wellformed import well_formed_text
from hauberk.probe.learn.errors import LearnError
from hauberk.probe.learn.sample import Ordinary, plain

PACKED = Path(__file__).with_name("data") / "ordinary.msgpack.zst"
MOST = 200_000
LONGEST_LINE = 1 << 20
_UNPACKED = 32 << 20
_GROUP = 24
"""Characters at the beginning of a text that stand for its pattern, where a file names none."""


class _Line(msgspec.Struct, frozen=True):
    text: str
    role: str = "user"
    group: str = ""


@cache
def shipped() -> tuple[Ordinary, ...]:
    """The texts that ship."""
    import zstandard

    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(PACKED.read_bytes())) as stream:
        rows = msgspec.msgpack.decode(stream.read(_UNPACKED), type=list[tuple[str, str, str]])
    return tuple(Ordinary(text, Role(role), group, "shipped") for text, role, group in rows)


def own(path: str) -> Iterator[Ordinary]:
    """The user's traffic: lines `{"text", "role"?, "group"?}`, as `hauberk guard check --jsonl` reads them. Raises LearnError."""
    name = os.path.basename(path)
    decode = msgspec.json.Decoder(_Line).decode
    count = 0
    try:
        with open(path, "rb") as file:
            while line := file.readline(LONGEST_LINE + 1):
                count += 1
                if len(line) > LONGEST_LINE or count > MOST:
                    raise LearnError(f"{path}: line {count}: more than {LONGEST_LINE} bytes in a line, or {MOST} lines")
                if line.strip():
                    yield _ordinary(decode(line), name)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise LearnError(f'{path}: line {count}: {error}; write {{"text": ..., "role"?: "user"|"tool"|"document"}}') from error
    except OSError as error:
        raise LearnError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error


def _ordinary(line: _Line, source: str) -> Ordinary:
    text = well_formed_text(line.text)
    return Ordinary(text, Role(line.role), line.group or plain(text)[:_GROUP], source)
