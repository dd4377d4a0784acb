"""The tables of the store, and how an older one becomes a newer one."""

import sqlite3

from hauberk.store.errors import StoreError

APPLICATION_ID = 0x48424B31  # "HBK1": a file of another program is never written to

# One entry a version; entry n brings a store from version n to n + 1. Published entries are never edited.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        (
            "CREATE TABLE runs (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, command TEXT NOT NULL,"
            " started TEXT NOT NULL, ended TEXT NOT NULL, complete INTEGER NOT NULL, exit_code INTEGER NOT NULL,"
            " targets BLOB NOT NULL, tool TEXT NOT NULL, rules TEXT NOT NULL,"
            " assets INTEGER NOT NULL, findings INTEGER NOT NULL, gaps INTEGER NOT NULL, head BLOB NOT NULL)"
        ),
        (
            "CREATE TABLE assets (run TEXT NOT NULL, number INTEGER NOT NULL, uri TEXT NOT NULL, verdict TEXT NOT NULL,"
            " digest TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (run, number)) WITHOUT ROWID"
        ),
        "CREATE INDEX assets_digest ON assets (digest)",
        (
            "CREATE TABLE findings (run TEXT NOT NULL, number INTEGER NOT NULL, fingerprint TEXT NOT NULL, rule TEXT NOT NULL,"
            " severity TEXT NOT NULL, root TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (run, number)) WITHOUT ROWID"
        ),
        "CREATE INDEX findings_fingerprint ON findings (fingerprint)",
        "CREATE INDEX findings_rule ON findings (rule)",
        (
            "CREATE TABLE gaps (run TEXT NOT NULL, number INTEGER NOT NULL, fingerprint TEXT NOT NULL, reason TEXT NOT NULL,"
            " root TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (run, number)) WITHOUT ROWID"
        ),
        "CREATE TABLE progress (run TEXT NOT NULL, uri TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (run, uri)) WITHOUT ROWID",
        "CREATE TABLE cache (key TEXT PRIMARY KEY, used INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID",
        (
            "CREATE TABLE quick (path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,"
            " ctime_ns INTEGER NOT NULL, device TEXT NOT NULL, inode TEXT NOT NULL, digest TEXT NOT NULL) WITHOUT ROWID"
        ),
    ),
)


def migrate(connection: sqlite3.Connection, name: str) -> None:
    """Brings the store to this version's tables. Raises StoreError for a newer store or another program's file."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    owner: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if owner != APPLICATION_ID and (owner or version or tables):
        raise StoreError(f"the store {name} is a database of another program; name another with --store")
    if version > len(MIGRATIONS):
        raise StoreError(f"the store {name} was written by a newer Hauberk; upgrade, or name another with --store")
    if version == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again under the lock: another process may have just done it.
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.execute("ROLLBACK")
        raise
