"""Writes the audit log: one writer a folder, entries grouped into one fdatasync, nothing acknowledged before it is on disk."""

import datetime as dt
import fcntl
import os
import queue
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Self

import msgspec

from hauberk.store.audit import keypair
from hauberk.store.audit.entry import LONGEST, Entry, encoded
from hauberk.store.audit.errors import AuditError, AuditInUse, AuditRefused
from hauberk.store.audit.note import Checkpoint, signed
from hauberk.store.audit.recover import Tail, recovered_tail
from hauberk.store.audit.segments import CHECKPOINTS, segment_name

Now = Callable[[], dt.datetime]


class LogOptions(msgspec.Struct, frozen=True):
    """How a log is kept."""

    origin: str = "hauberk/audit"  # the log's name in its checkpoints
    segment_bytes: int = 64 << 20
    checkpoint_entries: int = 1000  # at the latest after so many entries
    checkpoint_seconds: float = 60.0  # or so much later than the first entry that none covers
    group: int = 512  # most entries in one write
    waiting: int = 20_000  # most entries not yet written; more are refused
    reserve_bytes: int = 256 << 10  # kept aside, so that a full disk still takes the entry that says so


class Receipt(msgspec.Struct, frozen=True):
    """An entry that is on disk, and its leaf hash."""

    entry: Entry
    hash: bytes

    @property
    def seq(self) -> int:
        """Its number, from 0."""
        return self.entry.seq


class _Waiting(msgspec.Struct):
    type: str
    data: Mapping[str, object]
    time: str
    done: "Future[Receipt]"


class AuditLog:
    """An open log. Thread-safe. Close it: the last entries get their checkpoint then."""

    def __init__(self, folder: str, options: LogOptions | None = None, now: Now | None = None) -> None:
        """Opens or makes the log in `folder`. Raises AuditError: in use, unreadable, or broken before its last checkpoint."""
        self.folder = folder
        self.options = options or LogOptions()
        self._now = now or _utc
        self._lock = _locked(folder)
        try:
            self._key = keypair.load_or_make(os.path.join(folder, keypair.KEY_FILE), self.options.origin)
            self._tail: Tail = recovered_tail(folder, self.options.origin, self._key.public)
            self._file = _appending(os.path.join(folder, segment_name(self._tail.segment)))
            self._size = os.fstat(self._file).st_size
            self._reserve()
        except BaseException:
            os.close(self._lock)
            raise
        self._covered = self._tail.covered
        # Entries that a killed process left unsigned are signed soon, also if no further one comes.
        unsigned = self._covered < self._tail.tree.size
        self._due = self._now().timestamp() + self.options.checkpoint_seconds if unsigned else None
        self._full = False
        self._queue: queue.Queue[_Waiting | None] = queue.Queue(self.options.waiting)
        self._closed = False
        self._thread = threading.Thread(target=self._write_all, name="audit-log", daemon=True)
        self._thread.start()
        if self._tail.dropped:
            self.append("log", {"event": "recovered", "torn_bytes": self._tail.dropped})

    def append(self, kind: str, data: Mapping[str, object]) -> "Future[Receipt]":
        """Takes one entry; the future is done when it is on disk. Its error is AuditRefused when it could not be written."""
        waiting = _Waiting(kind, data, _stamp(self._now()), Future())
        if self._closed:
            waiting.done.set_exception(AuditRefused("the audit log is closed"))
            return waiting.done
        try:
            self._queue.put_nowait(waiting)
        except queue.Full:
            waiting.done.set_exception(AuditRefused(f"{self.options.waiting} entries wait to be written; the disk is too slow"))
        return waiting.done

    @property
    def size(self) -> int:
        """Entries on disk."""
        return self._tail.tree.size

    def close(self) -> None:
        """Writes what waits, signs the last checkpoint, gives the folder free."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._thread.join()
        os.close(self._file)
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write_all(self) -> None:
        closing = False
        while not closing:
            batch, closing = self._gathered()
            if batch:
                self._write(batch)
            self._checkpoint_if_due(closing=closing)

    def _gathered(self) -> tuple[list[_Waiting], bool]:
        """The next entries that wait; waits itself until one comes or a checkpoint is due."""
        batch: list[_Waiting] = []
        try:
            first = self._queue.get(timeout=self._patience())
            while first is not None:
                batch.append(first)
                if len(batch) >= self.options.group:
                    return batch, False
                first = self._queue.get_nowait()
        except queue.Empty:
            return batch, False
        return batch, True

    def _patience(self) -> float | None:
        return None if self._due is None else max(0.0, self._due - self._now().timestamp())

    def _write(self, batch: list[_Waiting]) -> None:
        receipts: list[tuple[_Waiting, Receipt]] = []
        lines: list[bytes] = []
        seq, prev = self._tail.tree.size, self._tail.prev
        for waiting in batch:
            entry = Entry(seq, waiting.time, waiting.type, prev.hex(), dict(waiting.data))
            line, digest = _line(entry)
            if not digest:
                waiting.done.set_exception(AuditRefused(line.decode()))
                continue
            lines.append(line)
            receipts.append((waiting, Receipt(entry, digest)))
            seq, prev = seq + 1, digest
        if not receipts:
            return
        try:
            self._append(b"".join(lines))
        except OSError as error:
            self._refuse([waiting for waiting, _ in receipts], error)
            return
        for waiting, receipt in receipts:
            self._tail.tree.append(receipt.hash)
            self._tail.prev = receipt.hash
            waiting.done.set_result(receipt)
        if self._due is None:
            self._due = self._now().timestamp() + self.options.checkpoint_seconds
        if self._full:
            self._recover()

    def _append(self, data: bytes) -> None:
        """Writes and syncs, or leaves the file as it was. Raises OSError."""
        if self._size and self._size + len(data) > self.options.segment_bytes:
            self._rotate()
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._file, view) :]
            os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)

    def _refuse(self, waiting: list[_Waiting], error: OSError) -> None:
        reason = (error.strerror or str(error)).lower()
        for one in waiting:
            one.done.set_exception(AuditRefused(f"{self.folder}: the audit log cannot be written: {reason}"))
        if not self._full:
            self._full = True
            self._release_reserve()
            note = _Waiting("log", {"event": "refusing", "reason": reason}, _stamp(self._now()), Future())
            self._write([note])
            self._full = True  # until an entry of the gateway's own is taken again

    def _recover(self) -> None:
        try:
            self._reserve()
        except OSError:
            return
        self._full = False

    def _reserve(self) -> None:
        path = os.path.join(self.folder, "reserve")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_size < self.options.reserve_bytes:
                os.posix_fallocate(descriptor, 0, self.options.reserve_bytes)
        finally:
            os.close(descriptor)

    def _release_reserve(self) -> None:
        try:
            os.unlink(os.path.join(self.folder, "reserve"))
        except FileNotFoundError:
            return

    def _rotate(self) -> None:
        name = os.path.join(self.folder, segment_name(self._tail.segment + 1))
        fresh = _appending(name)
        os.close(self._file)
        self._file, self._size = fresh, 0
        self._tail.segment += 1
        _sync_folder(self.folder)

    def _checkpoint_if_due(self, *, closing: bool) -> None:
        size = self._tail.tree.size
        fresh = size - self._covered
        late = self._due is not None and self._now().timestamp() >= self._due
        if not fresh or not (closing or late or fresh >= self.options.checkpoint_entries):
            return
        tree = self._tail.tree
        note = signed(Checkpoint(self.options.origin, size, tree.root(), tuple(tree.edge)), self._key)
        try:
            _append_synced(os.path.join(self.folder, CHECKPOINTS), note + b".\n")
        except OSError:
            self._due = self._now().timestamp() + self.options.checkpoint_seconds  # the disk may have room by then
            return
        self._covered, self._due = size, None


def _line(entry: Entry) -> tuple[bytes, bytes]:
    """The line and its hash; a reason and an empty hash for an entry that cannot be one."""
    try:
        line, digest = encoded(entry)
    except (TypeError, ValueError, UnicodeEncodeError, msgspec.MsgspecError) as error:
        return f"the entry is no JSON: {error}".encode("utf-8", "replace"), b""
    return (line, digest) if len(line) <= LONGEST else (b"the entry is larger than 1 MiB", b"")


def _locked(folder: str) -> int:
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        descriptor = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise AuditError(f"{folder}: no audit log can be kept here: {(error.strerror or str(error)).lower()}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise AuditInUse(f"{folder}: another process writes this audit log; give each its own folder") from error
    return descriptor


def _appending(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _append_synced(path: str, data: bytes) -> None:
    descriptor = _appending(path)
    try:
        size = os.fstat(descriptor).st_size
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fdatasync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _utc() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _stamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
