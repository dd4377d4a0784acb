"""Keys at rest: one SQLite file that several processes share, behind an interface small enough for another database."""

import os
import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from hauberk.guard.keys.key import Key, KeyProblem

BUSY_SECONDS = 5.0
FORMAT = 1
_APPLICATION = 0x48424B4B  # "HBKK"
_SCHEMA = "CREATE TABLE IF NOT EXISTS key (id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Key).decode


class KeyStoreError(ValueError):
    """The store cannot be used; one line says which, why, and what to do."""


class KeyStore(Protocol):
    """Where keys are kept."""

    def load(self) -> tuple[list[Key], int]:
        """All keys, and how many records could not be read (those keys open nothing). Raises KeyStoreError."""
        ...

    def version(self) -> int:
        """A number that changes when another process changes the store. Raises KeyStoreError."""
        ...

    def add(self, key: Key, check: Callable[[Key], None]) -> None:
        """Keeps a new key; `check` runs before it is final and may raise to undo. Raises KeyStoreError."""
        ...

    def change(self, key_id: str, change: Callable[[Key], Key], check: Callable[[Key], None]) -> Key:
        """Replaces a key by what `change` makes of its newest state, atomically. Raises KeyStoreError, KeyProblem."""
        ...

    def close(self) -> None: ...


class SqliteKeyStore:
    """Keys in SQLite (WAL). Another process sees a change at its next look at `version`."""

    def __init__(self, path: str | Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self._name = str(path)
        self._lock = threading.RLock()  # admins may work in another thread than the gateway
        with self._told():
            self._db = _open(Path(path), busy_seconds)

    def load(self) -> tuple[list[Key], int]:
        with self._told(), self._lock:
            rows = self._db.execute("SELECT body FROM key ORDER BY id").fetchall()
        keys: list[Key] = []
        for (body,) in rows:
            try:
                keys.append(_decode(body))
            except (msgspec.DecodeError, TypeError):
                continue
        return keys, len(rows) - len(keys)

    def version(self) -> int:
        with self._told(), self._lock:
            return self._db.execute("PRAGMA data_version").fetchone()[0]

    def add(self, key: Key, check: Callable[[Key], None]) -> None:
        with self._transaction():
            self._db.execute("INSERT INTO key (id, body) VALUES (?, ?)", (key.id, _encode(key)))
            check(key)

    def change(self, key_id: str, change: Callable[[Key], Key], check: Callable[[Key], None]) -> Key:
        with self._transaction():
            row = self._db.execute("SELECT body FROM key WHERE id = ?", (key_id,)).fetchone()
            if row is None:
                raise KeyProblem(f"there is no key {key_id[:60]!r}; list the keys to see their ids")
            try:
                key = change(_decode(row[0]))
            except msgspec.DecodeError as error:
                raise KeyStoreError(f"the record of key {key_id} in {self._name} is damaged") from error
            self._db.execute("UPDATE key SET body = ? WHERE id = ?", (_encode(key), key_id))
            check(key)
            return key

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def _transaction(self) -> Generator[None]:
        with self._told(), self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            said = " ".join(str(error).split())
            raise KeyStoreError(f"the key store {self._name} cannot be used: {said}") from error


def _open(path: Path, busy_seconds: float) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made before SQLite does, so that no other user ever reads it; its -wal and -shm files copy these permissions.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    db = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA trusted_schema = OFF")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # a revocation that was acknowledged must survive a power cut
        if db.execute("PRAGMA application_id").fetchone()[0] not in {0, _APPLICATION}:
            raise KeyStoreError(f"{path} is a database of something else; name another file")
        if db.execute("PRAGMA user_version").fetchone()[0] > FORMAT:
            raise KeyStoreError(f"{path} was written by a newer version; upgrade, or name another file")
        db.execute(_SCHEMA)
        db.execute(f"PRAGMA application_id = {_APPLICATION}")
        db.execute(f"PRAGMA user_version = {FORMAT}")
    except BaseException:
        db.close()
        raise
    return db
