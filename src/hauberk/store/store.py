"""The record: runs with their assets, findings and gaps, their comparison, and the memory between them."""

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from hauberk.core import AssetRecord, Finding, Gap, Run
from hauberk.core.wellformed import well_formed
from hauberk.policy.compare import Comparison, compare
from hauberk.store import runs
from hauberk.store.database import Database
from hauberk.store.errors import StoreError
from hauberk.store.location import is_postgres, sqlite_path
from hauberk.store.memory import FileStamp, Memory
from hauberk.store.runs import Remembered, RunSummary
from hauberk.store.sqlite import connect

BATCH = 512  # assets written at once
FLUSH_SECONDS = 2.0  # and at least this often, so that little is lost to a crash
SHORTEST_PREFIX = 4
_PUT_PROGRESS = "INSERT INTO progress (run, uri, body) VALUES (?, ?, ?) ON CONFLICT (run, uri) DO UPDATE SET body = excluded.body"


class Store:
    """An open record. Use as a context manager; every method raises StoreError with one clear line."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._memory = Memory(database)
        self._pending: list[tuple[object, ...]] = []
        self._flushed = time.monotonic()
        self._run = ""
        self._seq = 0

    @classmethod
    def open(cls, url: str = "") -> Self:
        """The store that `url` names: a path, `sqlite:///path`, `postgresql://...`, or "" for the user's own. Raises StoreError."""
        if is_postgres(url):
            from hauberk.store import postgres

            return cls(postgres.connect(url))
        path = sqlite_path(url)
        return cls(Database(connect(path), str(path)))

    @property
    def name(self) -> str:
        """What `open` takes to open this store again, in another process; it may hold a password."""
        return self._database.url

    def close(self) -> None:
        """Writes what is left and closes the file."""
        try:
            self.flush()
        finally:
            self._database.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def begin_run(self, run: Run) -> None:
        """Records that `run` has begun, or goes on when it is already recorded."""
        run = well_formed(run)
        with self._database.transaction() as transaction:
            self._seq = runs.put_head(transaction, run)
        self._run = run.id

    def record(self, record: AssetRecord, findings: tuple[Finding, ...], gaps: tuple[Gap, ...], cache_key: str = "") -> None:
        """Records one asset of the current run; with a `cache_key`, remembers it for later runs too. Written in batches."""
        seen = well_formed((record, findings, gaps))
        body = runs.encode(seen)
        self._pending.append((self._run, seen[0].uri, body))
        if cache_key:
            self._memory.remember(cache_key, body)
        if len(self._pending) >= BATCH or time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Writes everything that waits."""
        self._flushed = time.monotonic()
        if not self._pending and not self._memory.waiting:
            return
        with self._database.transaction() as transaction:
            transaction.do_many(_PUT_PROGRESS, self._pending)
            self._memory.write(transaction, self._seq)
        self._pending.clear()
        self._memory.written()

    def finish_run(self, run: Run) -> None:
        """Records `run` as it ended. What was recorded on the way is kept only while the run may be resumed."""
        run = well_formed(run)
        self.flush()
        with self._database.transaction() as transaction:
            runs.put_head(transaction, run)
            runs.drop_parts(transaction, run.id)
            runs.put_parts(transaction, run)
            if run.complete:
                transaction.do("DELETE FROM progress WHERE run = ?", run.id)

    def load_run(self, name: str) -> Run | None:
        """The run called `name`: its id, the beginning of one that no other has, or "last". None when there is none."""
        if name == "last":
            return self.last_run()
        found = self._database.rows("SELECT id FROM runs WHERE id = ?", name)
        if not found and len(name) >= SHORTEST_PREFIX:
            found = self._database.rows("SELECT id FROM runs WHERE substr(id, 1, ?) = ? LIMIT 2", len(name), name)
        if len(found) > 1:
            raise StoreError(f"several runs begin with {name!r}; write more of the id")
        return runs.load(self._database, found[0][0]) if found else None

    def last_run(self) -> Run | None:
        """The run that began last, or None."""
        found = self._database.rows("SELECT id FROM runs ORDER BY seq DESC LIMIT 1")
        return runs.load(self._database, found[0][0]) if found else None

    def list_runs(self, limit: int = 1000) -> list[RunSummary]:
        """The newest runs, newest first."""
        query = f"SELECT {runs.SUMMARY} FROM runs ORDER BY seq DESC LIMIT ?"  # noqa: S608 - a constant
        with self._database.decoding():
            return [runs.summary(row) for row in self._database.rows(query, limit)]

    def diff(self, before: str, after: str) -> Comparison:
        """What changed from run `before` to run `after`. Raises StoreError when one of them is not recorded."""
        loaded: list[Run] = []
        for name in (before, after):
            run = self.load_run(name)
            if run is None:
                raise StoreError(f"no run {name!r} is recorded in {self._database.name}")
            loaded.append(run)
        return compare(loaded[0], loaded[1])

    def incomplete_run(self, command: str, targets: tuple[str, ...], *, tool: str = "", rules: str = "") -> str:
        """The id of the last run of `command` over `targets` when it did not end, else "". Versions must match when given."""
        found = self._database.rows(
            "SELECT id, complete, tool, rules FROM runs WHERE command = ? AND targets = ? ORDER BY seq DESC LIMIT 1",
            command,
            runs.encode(well_formed(targets)),
        )
        if not found:
            return ""
        name, complete, its_tool, its_rules = found[0]
        return name if not complete and tool in {"", its_tool} and rules in {"", its_rules} else ""

    def recorded(self, run_id: str) -> Iterator[Remembered]:
        """What was already recorded on the way of a run that did not end."""
        for (body,) in self._database.rows("SELECT body FROM progress WHERE run = ? ORDER BY uri", run_id):
            with self._database.decoding():
                seen = runs.decode_remembered(body)
            yield seen

    def cached(self, cache_key: str) -> Remembered | None:
        """What an earlier run said of the same content under the same key, or None."""
        return self._memory.cached(cache_key)

    def quick_digest(self, stamp: FileStamp) -> str:
        """The digest remembered for a file that has not been touched since, or ""."""
        return self._memory.quick_digest(stamp)

    def remember_digest(self, stamp: FileStamp, digest: str) -> None:
        """Remembers the digest of a file, unless it changed in the last two seconds."""
        self._memory.remember_digest(stamp, digest)

    def prune(self, keep: int) -> int:
        """Forgets all runs but the newest `keep`, and the memory that none of those used; returns how many runs went."""
        self.flush()
        with self._database.transaction() as transaction:
            old = transaction.do("SELECT id, seq FROM runs ORDER BY seq DESC")[max(0, keep) :]
            for run_id, _ in old:
                runs.drop_parts(transaction, run_id)
                transaction.do("DELETE FROM progress WHERE run = ?", run_id)
                transaction.do("DELETE FROM runs WHERE id = ?", run_id)
            if old:
                transaction.do("DELETE FROM cache WHERE used <= ?", old[0][1])
        return len(old)
