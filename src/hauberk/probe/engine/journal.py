"""Journal: append-only, grouped into one fdatasync by a thread of its own. What `commit` returned from is on disk.

Records reach the disk in the order in which they were put, so that a durable one means that all before it are durable too.
"""

import asyncio
import os
import queue
import threading
from types import TracebackType
from typing import Self

from hauberk.probe.engine.errors import JournalError
from hauberk.probe.engine.record import Record, Sent, encoded

RESERVE = 1 << 20  # bytes kept aside, so that on a full disk the answers on their way are still recorded
GROUP = 1024  # most lines in one write

_Waiting = tuple[bytes, "asyncio.Future[None] | None", bool]


class Journal:
    """An open journal. `put` and `commit` are called from one event loop."""

    def __init__(self, path: str, reserve: int = RESERVE) -> None:
        """Opens `path` at its end, which is that of a whole line (see `reading.mend`). Raises JournalError."""
        self.path = path
        self.failed = ""  # why nothing more is sent, "" while all is well
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._size = os.fstat(self._file).st_size
            self._reserve = _reserved(os.path.join(os.path.dirname(path), "reserve"), reserve)
        except OSError as error:
            raise JournalError(f"{path}: no journal can be kept here: {(error.strerror or str(error)).lower()}") from error
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="probe-journal", daemon=True)
        self._thread.start()

    def put(self, record: Record) -> None:
        """Takes a record; it is on disk when a later `commit` or `close` returns."""
        self._queue.put((encoded(record), None, False))

    async def commit(self, record: Record) -> None:
        """Takes a record and waits until it is on disk. Raises JournalError."""
        if self.failed:
            raise JournalError(self.failed)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put((encoded(record), done, isinstance(record, Sent)))
        await done

    def close(self) -> None:
        """Writes what waits. `failed` says whether all of it is there."""
        if self._file < 0:
            return
        self._queue.put(None)
        self._thread.join()
        os.close(self._file)
        self._file = -1
        _removed(self._reserve)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _write_all(self) -> None:
        closing = False
        while not closing:
            batch: list[_Waiting] = []
            item = self._queue.get()
            while item is not None:
                batch.append(item)
                if len(batch) >= GROUP or self._queue.empty():
                    break
                item = self._queue.get()
            closing = item is None
            if batch:
                self._write(batch)

    def _write(self, batch: list[_Waiting]) -> None:
        if self.failed:
            # Requests are no longer sent; what belongs to those already sent still goes into what the reserve has freed.
            _tell([done for _, done, opens in batch if opens], self.failed)
            batch = [one for one in batch if not one[2]]
        try:
            self._append(b"".join(line for line, _, _ in batch))
        except OSError as error:
            self._fail(batch, error)
            return
        _tell([done for _, done, _ in batch], "")

    def _fail(self, batch: list[_Waiting], error: OSError) -> None:
        first = not self.failed
        self.failed = (
            f"{self.path}: the journal cannot be written: {(error.strerror or str(error)).lower()}; make room, then --resume"
        )
        if first and _removed(self._reserve):
            self._write(batch)
            return
        for one in batch:  # one by one: a short line may fit where all together do not
            try:
                self._append(one[0] if not one[2] else b"")
            except OSError:
                continue
        _tell([done for _, done, _ in batch], self.failed)

    def _append(self, data: bytes) -> None:
        """Writes and syncs, or leaves the file as it was. Raises OSError."""
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._file, view) :]
            os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)


def _tell(waiting: "list[asyncio.Future[None] | None]", failure: str) -> None:
    those = [one for one in waiting if one is not None]
    if those:
        try:
            those[0].get_loop().call_soon_threadsafe(_resolve, those, failure)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return


def _resolve(waiting: "list[asyncio.Future[None]]", failure: str) -> None:
    for one in waiting:
        if not one.done():
            if failure:
                one.set_exception(JournalError(failure))
            else:
                one.set_result(None)


def _reserved(path: str, size: int) -> str:
    """Sets room aside where there is some: a run may begin without, and then loses the answers on their way when it is over."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError:
        _removed(path)
    finally:
        os.close(descriptor)
    return path


def _removed(path: str) -> bool:
    try:
        os.unlink(path)
    except OSError:
        return False
    return True
