"""Verifies a log offline: every hash, every link, every signed root; the first broken entry is named."""

import os
from collections.abc import Iterable

import msgspec

from hauberk.store.audit.entry import FIRST, decoded
from hauberk.store.audit.errors import AuditError
from hauberk.store.audit.keypair import PUBLIC_FILE, good_signature
from hauberk.store.audit.merkle import GrowingTree
from hauberk.store.audit.note import Checkpoint, opened, parsed_verifier_key
from hauberk.store.audit.segments import Line, all_lines, checkpoint_notes, notes_in, number_of, segments


class Broken(msgspec.Struct, frozen=True):
    """The first thing that is not as it was written. `seq` is the entry that should be there."""

    seq: int
    where: str
    why: str


class Verification(msgspec.Struct, frozen=True):
    """What was verified. `covered`: entries under a signed checkpoint; those after it are only chained."""

    folder: str
    entries: int
    checkpoints: int
    covered: int
    broken: Broken | None = None
    torn: int = 0  # bytes of a last line without its end: a write that was never acknowledged

    @property
    def complete(self) -> bool:
        """Whether every entry is under a signature."""
        return self.broken is None and self.covered == self.entries


def logs_in(folder: str) -> list[str]:
    """`folder` itself when it is a log, and the logs right below it (one a worker)."""
    below = [entry.path for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)] if os.path.isdir(folder) else []
    return [path for path in (folder, *sorted(below)) if os.path.isdir(path) and segments(path)]


def public_key(folder: str, given: str = "") -> tuple[str, bytes]:
    """Origin and key: from the text or file `given`, else from the file beside the log. Raises AuditError."""
    if given and not os.path.exists(given):
        return parsed_verifier_key(given)
    path = given or os.path.join(folder, PUBLIC_FILE)
    try:
        with open(path, encoding="utf-8") as file:
            return parsed_verifier_key(file.read(4096))
    except (OSError, UnicodeDecodeError) as error:
        raise AuditError(f"{path}: the public key cannot be read; name it with --key") from error


def key_of(folder: str, given: Iterable[tuple[str, bytes]]) -> tuple[str, bytes]:
    """Of the keys `given`, that which signed the log's checkpoints; the first of them when none did, or none is there yet."""
    keys = tuple(given)
    notes = checkpoint_notes(folder)[:1]
    return next((key for key in keys if any(signs(key, note) for note in notes)), keys[0])


def signs(key: tuple[str, bytes], notes: bytes) -> bool:
    """Whether the first of `notes` is a checkpoint that was signed with `key`."""
    try:
        opened(notes_in(notes)[0], *key, good_signature)
    except (AuditError, IndexError):
        return False
    return True


def verify(folder: str, origin: str, public: bytes, kept: Iterable[bytes] = ()) -> Verification:
    """Verifies the log in `folder`. `kept`: files of checkpoints kept elsewhere, with all of which the log must still agree.

    Raises AuditError when the log cannot be read at all.
    """
    stated: dict[int, list[Checkpoint]] = {}
    count = 0
    for note in (*checkpoint_notes(folder), *(note for file in kept for note in notes_in(file) or [file])):
        try:
            made = opened(note, origin, public, good_signature)
        except AuditError as error:
            return Verification(folder, 0, count, 0, Broken(0, f"checkpoint {count + 1}", str(error)))
        stated.setdefault(made.size, []).append(made)
        count += 1
    return _Walk(folder, stated, count).run()


class _Walk:
    """One pass over the entries."""

    def __init__(self, folder: str, stated: dict[int, list[Checkpoint]], count: int) -> None:
        self._folder = folder
        self._stated = stated
        self._count = count
        self._tree = GrowingTree()
        self._prev = FIRST
        self._covered = 0
        self._torn = 0

    def run(self) -> Verification:
        broken = self._missing_segment()
        for line in all_lines(self._folder) if not broken else ():
            if not line.whole:
                self._torn = len(line.data)
                broken = None if self._is_last(line) else self._broken(line, "the line does not end")
                break
            broken = self._entry(line)
            if broken:
                break
        newest = max(self._stated, default=0)
        if not broken and newest > self._tree.size:
            why = f"a signed checkpoint says the log had {newest} entries: the end was cut off"
            broken = Broken(self._tree.size, self._folder, why)
        return Verification(self._folder, self._tree.size, self._count, self._covered, broken, self._torn)

    def _missing_segment(self) -> Broken | None:
        for expected, name in enumerate(segments(self._folder), 1):
            if number_of(name) != expected:
                return Broken(0, f"{self._folder}/{name}", f"segment {expected} is missing")
        return None

    def _is_last(self, line: Line) -> bool:
        return line.segment == segments(self._folder)[-1]

    def _entry(self, line: Line) -> Broken | None:
        try:
            entry, digest = decoded(line.data)
        except ValueError as error:
            return self._broken(line, str(error))
        if entry.seq != self._tree.size:
            return self._broken(line, f"entry {entry.seq} stands where entry {self._tree.size} should: some were removed or put in")
        if entry.prev != self._prev.hex():
            return self._broken(line, "the entry does not follow the one before it")
        self._tree.append(digest)
        self._prev = digest
        for checkpoint in self._stated.get(self._tree.size, ()):
            if checkpoint.root != self._tree.root():
                return self._broken(line, "the entries up to this one are not those that were signed")
            self._covered = self._tree.size
        return None

    def _broken(self, line: Line, why: str) -> Broken:
        return Broken(self._tree.size, f"{self._folder}/{line.segment}, byte {line.offset}", why)
