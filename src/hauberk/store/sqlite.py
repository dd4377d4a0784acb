"""Opening the SQLite file: private to its owner, several processes at once, one clear line when it cannot be."""

import os
import sqlite3
from pathlib import Path

from hauberk.store.errors import told
from hauberk.store.schema import migrate

BUSY_SECONDS = 15.0


def connect(path: Path, *, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """A connection to the store at `path`, made when it is not there. Raises StoreError."""
    with told(str(path)):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made before SQLite does, so that no other user ever reads it; its -wal and -shm files copy these permissions.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        # The thread check is ours to keep: a server's connection moves between threads, one at a time.
        connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
        try:
            # A damaged or hostile file must not bring functions or views of its own to life.
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA synchronous = NORMAL")
            migrate(connection, str(path))
            connection.execute("PRAGMA journal_mode = WAL")
        except BaseException:
            connection.close()
            raise
        return connection
