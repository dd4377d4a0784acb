"""The files of a log: numbered segments of lines, and the signed checkpoints beside them."""

import os
import re
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from hauberk.store.audit.entry import LONGEST
from hauberk.store.audit.errors import AuditError

CHECKPOINTS = "checkpoints"
_NAME = re.compile(r"audit-(\d{8})\.log")
_BLOCK = 1 << 20
_END = b"\n.\n"


class Line(msgspec.Struct, frozen=True):
    """A line of a segment. `whole` is false for a last line without its newline, or one over the limit."""

    segment: str
    offset: int
    data: bytes
    whole: bool


def segment_name(number: int) -> str:
    """File name of segment `number`, from 1."""
    return f"audit-{number:08d}.log"


def segments(folder: str) -> list[str]:
    """Names of the segments in order. Raises AuditError when the folder cannot be read."""
    try:
        found = sorted(name for name in os.listdir(folder) if _NAME.fullmatch(name))
    except OSError as error:
        raise AuditError(f"{folder}: the audit log cannot be read: {(error.strerror or str(error)).lower()}") from error
    return found


def number_of(name: str) -> int:
    """The number in a segment's name."""
    match = _NAME.fullmatch(name)
    return int(match.group(1)) if match else 0


def lines_of(folder: str, name: str, start: int = 0) -> Iterator[Line]:
    """The lines of one segment from byte `start`, a block at a time. Raises AuditError."""
    try:
        with open(os.path.join(folder, name), "rb") as file:
            file.seek(start)
            yield from _lines(file, name, start)
    except OSError as error:
        raise AuditError(f"{folder}/{name}: cannot be read: {(error.strerror or str(error)).lower()}") from error


def _lines(file: BinaryIO, name: str, offset: int) -> Iterator[Line]:
    rest = b""
    while block := file.read(_BLOCK):
        parts = (rest + block).split(b"\n")
        rest = parts.pop()
        for part in parts:
            yield Line(name, offset, part, len(part) <= LONGEST)
            offset += len(part) + 1
        if len(rest) > LONGEST:
            yield Line(name, offset, rest[:100], whole=False)
            return
    if rest:
        yield Line(name, offset, rest, whole=False)


def all_lines(folder: str) -> Iterator[Line]:
    """The lines of every segment, in order."""
    for name in segments(folder):
        yield from lines_of(folder, name)


def checkpoint_notes(folder: str) -> list[bytes]:
    """The notes in the checkpoint file, oldest first; a torn last one is left out. Raises AuditError."""
    try:
        with open(os.path.join(folder, CHECKPOINTS), "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise AuditError(f"{folder}/{CHECKPOINTS}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    return notes_in(data)[: data.count(_END)]


def whole_checkpoints(folder: str) -> int:
    """Bytes of the checkpoint file up to the end of its last whole note; what follows is a write that was torn. Raises OSError."""
    try:
        with open(os.path.join(folder, CHECKPOINTS), "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return 0
    end = data.rfind(_END)
    return end + len(_END) if end >= 0 else 0


def notes_in(data: bytes) -> list[bytes]:
    """The notes in `data`: each ends with its signature line, and lines with a single dot part them."""
    return [note for note in data.split(_END) if note.strip()]
