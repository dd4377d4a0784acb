"""Between a scan and the store: what is already known is not looked at again, and what is new is recorded as it comes."""

import datetime as dt
import os
from collections.abc import Generator
from contextlib import contextmanager

from hauberk import __version__
from hauberk.core import GapReason, Run
from hauberk.rules import RulePack
from hauberk.scan.examine import Examined, Lookup, moved
from hauberk.scan.options import ScanOptions
from hauberk.scan.walk import Entry
from hauberk.store import FileStamp, Store, cache_key

# What depends on the moment rather than on the bytes is never remembered.
_FLEETING = frozenset(
    {GapReason.TIMEOUT, GapReason.UNREADABLE, GapReason.INTERRUPTED, GapReason.DETECTOR_ERROR, GapReason.TOO_LARGE}
)


class Recorder:
    """Records into `store`; remembers nothing when there is none."""

    def __init__(self, store: Store | None, pack: RulePack, options: ScanOptions) -> None:
        self.store, self.pack, self.options = store, pack, options
        self._resumed: dict[str, Examined] = {}
        self._resumed_from = 0

    def resumable(self, targets: tuple[str, ...]) -> str:
        """The id of the interrupted scan of `targets` to go on from, "" when there is none. Raises StoreError."""
        if self.store is None:
            return ""
        name = self.store.incomplete_run("scan", targets, tool=__version__, rules=self.pack.digest)
        before = self.store.load_run(name) if name else None
        if before is not None:
            self._resumed_from = int(dt.datetime.fromisoformat(before.started).timestamp() * 1e9)
            self._resumed = {record.uri: Examined(record, found, gaps) for record, found, gaps in self.store.recorded(name)}
        return name

    def begin(self, run: Run) -> None:
        """A run begins, or goes on. Raises StoreError."""
        if self.store is not None:
            self.store.begin_run(run)

    def known(self, entry: Entry) -> Examined | None:
        """What is known of a file that nobody touched since it was looked at."""
        if self.store is None:
            return None
        resumed = self._resumed.get(entry.uri)
        untouched = max(entry.mtime_ns, entry.ctime_ns) < self._resumed_from
        if resumed is not None and untouched and resumed.record.size == entry.size:
            return resumed
        if not self.options.hashing:
            return None
        digest = self.store.quick_digest(_stamp(entry))
        found = self.store.cached(self._key(digest, entry.name)) if digest else None
        return moved(Examined(*found), entry) if found else None

    def lookup(self) -> Lookup | None:
        """What a worker asks by digest. It opens the store anew: a connection does not survive a fork."""
        if self.store is None:
            return None
        name, opened = self.store.name, dict[int, Store]()

        def ask(digest: str, file_name: str) -> Examined | None:
            store = opened.get(os.getpid())
            if store is None:
                store = opened[os.getpid()] = Store.open(name)
            found = store.cached(self._key(digest, file_name))
            return Examined(*found) if found else None

        return ask

    def add(self, entry: Entry, examined: Examined) -> None:
        """One file is done. Raises StoreError."""
        if self.store is None:
            return
        digest = examined.record.digest
        fleeting = any(gap.reason in _FLEETING for gap in examined.gaps)
        key = "" if fleeting else self._key(digest, entry.name)
        self.store.record(examined.record, examined.findings, examined.gaps, key)
        if digest:
            self.store.remember_digest(_stamp(entry), digest)

    def finish(self, run: Run) -> None:
        """The run has ended, complete or not. Raises StoreError."""
        if self.store is not None:
            self.store.finish_run(run)

    def _key(self, digest: str, name: str) -> str:
        return cache_key(digest, name, tool=__version__, rules=self.pack.digest, limits=self.options.limits)


def _stamp(entry: Entry) -> FileStamp:
    return FileStamp(os.path.abspath(entry.path), entry.size, entry.mtime_ns, entry.ctime_ns, entry.inode)


@contextmanager
def opened_recorder(url: str | None, pack: RulePack, options: ScanOptions) -> Generator[Recorder]:
    """A recorder into the store at `url` ("" for the user's own), or into nothing when None. Raises StoreError."""
    if url is None:
        yield Recorder(None, pack, options)
        return
    with Store.open(url) as store:
        yield Recorder(store, pack, options)
