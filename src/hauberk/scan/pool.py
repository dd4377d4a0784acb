"""Workers that examine files: bounded in memory, killed when they hang, replaced when they die.

A worker is forked after the rules are compiled, so all share them. It is sent a batch of entries and answers one
message each; the parent always knows which entry a worker is on, so a death costs one Gap and no more.
"""

import gc
import multiprocessing
import resource
import select
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection

import msgspec

from hauberk.assets.budget import Limits
from hauberk.core import Admission, AssetRecord, Gap, GapReason, Kind
from hauberk.scan.examine import Examined
from hauberk.scan.options import ScanOptions
from hauberk.scan.walk import Entry

MEMORY = 6 << 30  # address space of a worker, bytes
BATCH = 64
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Examined)
Examine = Callable[[Entry], Examined]


def lost(entry: Entry, reason: GapReason, note: str) -> Examined:
    """The outcome of an entry whose examination did not end."""
    record = AssetRecord(uri=entry.uri, kind=Kind.BINARY, verdict=Admission.HOLD, size=entry.size, parent=entry.unit)
    return Examined(record, (), (Gap(entry.uri, reason, note, kind="file", root=entry.uri),))


class _Worker:
    """One child process and the batch it is on."""

    def __init__(self, examine: Examine, patience: float) -> None:
        self.examine, self.patience = examine, patience
        self.batch: deque[Entry] = deque()
        self.since = 0.0
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("fork")
        self.connection, child = context.Pipe()
        self.process = context.Process(target=_serve, args=(child, self.examine), daemon=True)
        self.process.start()
        child.close()

    def send(self, batch: Iterable[Entry]) -> None:
        self.batch = deque(batch)
        self.since = time.monotonic()
        self.connection.send(list(self.batch))

    def outcome(self, *, ready: bool) -> Examined | None:
        """What became of the entry it is on; None while it is still at it."""
        result = None
        if ready:
            try:
                result = _DECODER.decode(self.connection.recv_bytes())
            except (EOFError, OSError):
                return self._replace(GapReason.TOO_LARGE, "its worker ended: out of memory, or killed")
        elif time.monotonic() - self.since > self.patience + _seconds_to_hash(self.batch[0]):
            return self._replace(GapReason.TIMEOUT, "its worker hung and was stopped")
        if result is not None:
            self.batch.popleft()
            self.since = time.monotonic()
        return result

    def _replace(self, reason: GapReason, note: str) -> Examined:
        """Gives up the entry it is on, and starts a new process on the rest."""
        entry = self.batch.popleft()
        self.stop()
        self._start()
        if self.batch:
            self.send(self.batch)
        return lost(entry, reason, note)

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


def _serve(connection: Connection, examine: Examine) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interruption means
    gc.freeze()  # the rules live as long as we do: let the collector pass them over, and come less often
    gc.set_threshold(50_000, 20, 100)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            batch: list[Entry] = connection.recv()
        except EOFError:
            return
        for entry in batch:
            connection.send_bytes(_ENCODER.encode(examine(entry)))


def examine_all(entries: Sequence[Entry], examine: Examine, jobs: int, options: ScanOptions) -> Iterator[Examined]:
    """Examines `entries` in `jobs` workers, in whatever order they end."""
    queue = deque(_batches(entries, jobs))
    patience = patience_of(options.limits)
    busy = [_Worker(examine, patience) for _ in range(min(jobs, len(queue)))]
    try:
        for worker in busy:
            worker.send(queue.popleft())
        while busy:
            ready = _ready(busy)
            for worker in busy:
                outcome = worker.outcome(ready=worker.connection.fileno() in ready)
                if outcome is not None:
                    yield outcome
                if not worker.batch and queue:
                    worker.send(queue.popleft())
            for worker in [w for w in busy if not w.batch]:
                worker.stop()
                busy.remove(worker)
    finally:
        for worker in busy:
            worker.stop()


def _ready(workers: Iterable[_Worker]) -> set[int]:
    """The file descriptors of the workers that have answered or died, after a second at most."""
    poller = select.poll()  # without the selector object that multiprocessing's wait builds each time
    for worker in workers:
        poller.register(worker.connection.fileno(), select.POLLIN)
    return {descriptor for descriptor, _ in poller.poll(1000)}


def patience_of(limits: Limits) -> float:
    """Seconds after which a worker that does not answer is stopped; its own deadline comes long before."""
    return limits.seconds * 1.5 + 15


def _seconds_to_hash(entry: Entry) -> float:
    return entry.size / (50 << 20)  # even a slow disk gives 50 MiB a second


def _batches(entries: Sequence[Entry], jobs: int) -> Iterator[list[Entry]]:
    """Batches of up to 64 files and 64 MiB, smaller when there are few, so that no worker idles at the end."""
    most = max(1, min(BATCH, len(entries) // (jobs * 4)))
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        batch.append(entry)
        size += entry.size
        if len(batch) >= most or size > 64 << 20:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
