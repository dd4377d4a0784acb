"""Where questions are kept, so that several gateways and a command line see the same ones."""

import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock
from typing import Protocol

import msgspec

from hauberk.guard.approvals.item import Asked, State

_SIGN = 2.0  # seconds between signs of who waits, each of which is a write
ABANDONED = 10.0  # seconds without a sign of who waits
_KEPT = 1_000  # answered questions
_SCHEMA = """
CREATE TABLE IF NOT EXISTS approval (
    id TEXT PRIMARY KEY, state TEXT NOT NULL, asked REAL NOT NULL, expires REAL NOT NULL, seen REAL NOT NULL, item BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS approval_state ON approval (state, asked);
"""


class Ledger(Protocol):
    """Keeps questions. Every method is atomic across processes; `now` is seconds since the epoch."""

    def add(self, item: Asked, most: int, now: float) -> bool:
        """Keeps a pending question, unless `most` are waiting already."""
        ...

    def get(self, number: str, now: float, *, waits: bool = False) -> Asked | None:
        """The question, expired or abandoned if its time has passed. `waits`: its asker is still there."""
        ...

    def settle(self, number: str, state: State, operator: str, reason: str, now: float) -> tuple[Asked | None, bool]:
        """Answers a pending question. Returns it as it is now, and whether this answer was taken."""
        ...

    def pending(self, now: float) -> tuple[Asked, ...]:
        """The questions that wait, oldest first."""
        ...


class SqliteLedger:
    """A ledger in one SQLite file in WAL mode, readable by its owner alone."""

    def __init__(self, path: str) -> None:
        """Raises OSError or sqlite3.Error when the file cannot be opened or made."""
        if path != ":memory:":
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._lock = Lock()
        self._database = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")  # an answer is durable before it counts
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._database.close()

    def add(self, item: Asked, most: int, now: float) -> bool:
        with self._write() as database:
            self._let_go(database, now)
            (waiting,) = database.execute("SELECT count(*) FROM approval WHERE state = 'pending'").fetchone()
            if waiting >= most:
                return False
            row = (item.id, item.state, item.asked, item.expires, now, msgspec.json.encode(item))
            database.execute("INSERT INTO approval VALUES (?, ?, ?, ?, ?, ?)", row)
            database.execute(
                "DELETE FROM approval WHERE id IN "
                "(SELECT id FROM approval WHERE state != 'pending' ORDER BY asked DESC LIMIT -1 OFFSET ?)",
                (_KEPT,),
            )
            return True

    def get(self, number: str, now: float, *, waits: bool = False) -> Asked | None:
        with self._lock:
            row = self._database.execute("SELECT state, expires, seen, item FROM approval WHERE id = ?", (number,)).fetchone()
        if row is None or row[0] != State.PENDING or (row[1] > now and row[2] > now - _SIGN):
            return msgspec.json.decode(row[3], type=Asked) if row else None
        with self._write() as database:
            if waits:
                database.execute("UPDATE approval SET seen = ? WHERE id = ? AND state = 'pending'", (now, number))
            self._let_go(database, now)
            return _one(database, number)

    def settle(self, number: str, state: State, operator: str, reason: str, now: float) -> tuple[Asked | None, bool]:
        with self._write() as database:
            self._let_go(database, now)
            item = _one(database, number)
            if item is None or item.state is not State.PENDING:
                return item, False
            return _put(database, item, state, operator, reason, now), True

    def pending(self, now: float) -> tuple[Asked, ...]:
        with self._write() as database:
            self._let_go(database, now)
            rows = database.execute("SELECT item FROM approval WHERE state = 'pending' ORDER BY asked, id").fetchall()
        return tuple(msgspec.json.decode(row[0], type=Asked) for row in rows)

    @contextmanager
    def _write(self) -> Generator[sqlite3.Connection]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    @staticmethod
    def _let_go(database: sqlite3.Connection, now: float) -> None:
        """Ends what nobody answered in time, and what nobody waits for any more."""
        late = database.execute(
            "SELECT item, expires FROM approval WHERE state = 'pending' AND (expires <= ? OR seen <= ?)", (now, now - ABANDONED)
        ).fetchall()
        for data, expires in late:
            item = msgspec.json.decode(data, type=Asked)
            if expires <= now:
                _put(database, item, State.EXPIRED, "", "nobody answered in time", now)
            else:
                _put(database, item, State.DENIED, "", "the gateway that asked is gone", now)


def _one(database: sqlite3.Connection, number: str) -> Asked | None:
    row = database.execute("SELECT item FROM approval WHERE id = ?", (number,)).fetchone()
    return msgspec.json.decode(row[0], type=Asked) if row else None


def _put(database: sqlite3.Connection, item: Asked, state: State, operator: str, reason: str, now: float) -> Asked:
    made = msgspec.structs.replace(item, state=state, operator=operator, reason=reason, answered=now)
    database.execute("UPDATE approval SET state = ?, item = ? WHERE id = ?", (state, msgspec.json.encode(made), item.id))
    return made
