"""Sends events to another system from a thread of its own: bounded, retried, and never in the way of a request."""

import queue
import threading
from collections.abc import Callable, Sequence

Send = Callable[[Sequence[bytes]], None]
"""Delivers events or raises OSError."""

BATCH = 100


class Forwarder:
    """A queue and a thread. What does not fit, or is not taken after `tries`, is counted in `lost`; the audit log has it."""

    def __init__(
        self,
        send: Send,
        *,
        waiting: int = 10_000,
        tries: int = 5,
        pause: float = 0.5,
        dropped: Callable[[int], None] = lambda _count: None,
    ) -> None:
        """`waiting`: most events held; `pause`: seconds before the first retry, doubling; `dropped`: told how many were lost."""
        self._send = send
        self._tries = tries
        self._pause = pause
        self._dropped = dropped
        self._queue: queue.Queue[bytes | None] = queue.Queue(waiting)
        self._stop = threading.Event()
        self.lost = 0
        self.sent = 0
        self._thread = threading.Thread(target=self._run, name="forward", daemon=True)
        self._thread.start()

    def put(self, event: bytes) -> None:
        """Takes an event; returns at once."""
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self._lose(1)

    def close(self, patience: float = 5.0) -> None:
        """Sends what waits, for at most `patience` seconds."""
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            self._stop.set()
        self._thread.join(patience)
        self._stop.set()

    def _lose(self, count: int) -> None:
        self.lost += count
        self._dropped(count)

    def _run(self) -> None:
        while not self._stop.is_set():
            batch, last = self._batch()
            if batch and not self._delivered(batch):
                self._lose(len(batch))
            if last:
                return

    def _batch(self) -> tuple[list[bytes], bool]:
        first = self._queue.get()
        batch: list[bytes] = []
        while first is not None:
            batch.append(first)
            if len(batch) == BATCH:
                return batch, False
            try:
                first = self._queue.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _delivered(self, batch: list[bytes]) -> bool:
        for number in range(self._tries):
            try:
                self._send(batch)
            except OSError:
                if self._stop.wait(self._pause * 2**number) or number + 1 == self._tries:
                    return False
            else:
                self.sent += len(batch)
                return True
        return False
