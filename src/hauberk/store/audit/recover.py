"""Where a log goes on after a stop, a crash or a power cut."""

import os

import msgspec

from hauberk.store.audit.entry import FIRST, decoded
from hauberk.store.audit.errors import AuditError
from hauberk.store.audit.keypair import good_signature
from hauberk.store.audit.merkle import GrowingTree
from hauberk.store.audit.note import Checkpoint, opened
from hauberk.store.audit.segments import CHECKPOINTS, Line, checkpoint_notes, lines_of, number_of, segments, whole_checkpoints


class Tail(msgspec.Struct):
    """The end of a log: the segment that grows, the tree so far, the last leaf's hash, entries under a checkpoint."""

    segment: int
    tree: GrowingTree
    prev: bytes
    covered: int = 0
    dropped: int = 0  # bytes of a torn last line: never acknowledged, cut off


def recovered_tail(folder: str, origin: str, public: bytes) -> Tail:
    """Reads the segments to their end, cutting a torn last line off. Raises AuditError when an acknowledged entry is damaged.

    The whole log is read: an entry changed since the last start is found before anything is put on top of it.
    """
    _cut_checkpoints(folder)
    names = segments(folder)
    tail = Tail(number_of(names[-1]) if names else 1, GrowingTree(), FIRST)
    checkpoints = {made.size: made for made in _checkpoints(folder, origin, public)}
    for name in names:
        _read(folder, name, tail, checkpoints, last=name == names[-1])
    newest = max(checkpoints, default=0)
    if newest > tail.tree.size:
        raise AuditError(
            f"{folder}: the log ends at entry {tail.tree.size}, but a signed checkpoint says it had {newest};"
            " keep it as evidence and begin a new one elsewhere"
        )
    tail.covered = newest
    return tail


def _cut_checkpoints(folder: str) -> None:
    """Cuts a torn last checkpoint off: the next one would be written behind it, and neither could be read."""
    path = os.path.join(folder, CHECKPOINTS)
    try:
        whole = whole_checkpoints(folder)
        if os.path.exists(path) and os.path.getsize(path) > whole:
            os.truncate(path, whole)
    except OSError as error:
        raise AuditError(f"{path}: cannot be read and written: {(error.strerror or str(error)).lower()}") from error


def _checkpoints(folder: str, origin: str, public: bytes) -> list[Checkpoint]:
    return [opened(note, origin, public, good_signature) for note in checkpoint_notes(folder)]


def _read(folder: str, name: str, tail: Tail, checkpoints: dict[int, Checkpoint], *, last: bool) -> None:
    for line in lines_of(folder, name):
        if not line.whole and last:
            tail.dropped = _cut(folder, line)
            return
        try:
            entry, digest = decoded(line.data)
        except ValueError as error:
            raise AuditError(_where(folder, line, str(error))) from error
        if entry.seq != tail.tree.size or entry.prev != tail.prev.hex():
            raise AuditError(_where(folder, line, f"entry {entry.seq} does not follow entry {tail.tree.size - 1}"))
        tail.tree.append(digest)
        tail.prev = digest
        stated = checkpoints.get(tail.tree.size)
        if stated and stated.root != tail.tree.root():
            raise AuditError(_where(folder, line, f"the entries up to here are not those that were signed at {stated.size}"))


def _where(folder: str, line: Line, why: str) -> str:
    return f"{folder}/{line.segment}, byte {line.offset}: {why}; keep the log as evidence and begin a new one elsewhere"


def _cut(folder: str, line: Line) -> int:
    path = os.path.join(folder, line.segment)
    dropped = os.path.getsize(path) - line.offset
    os.truncate(path, line.offset)
    return dropped
