"""The store in PostgreSQL, for a team: the same tables, the same statements. Needs the extra `postgres` (psycopg)."""

from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from hauberk.store.database import Database, Dialect, Transaction
from hauberk.store.errors import StoreError
from hauberk.store.schema import MIGRATIONS

CONNECT_SECONDS = 10
_LOCK = 0x48424B31  # one migration at a time, whoever starts first
_TYPES = (
    ("INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
    ("INTEGER", "BIGINT"),
    ("BLOB", "BYTEA"),
    (" WITHOUT ROWID", ""),
)


def connect(url: str) -> Database:
    """The store at `url`, made when it is not there. Raises StoreError."""
    name = label(url)
    try:
        psycopg: Any = import_module("psycopg")
    except ImportError as error:
        raise StoreError(f"the store {name} needs psycopg: pip install 'hauberk[postgres]'; or name a file") from error
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS)
    except psycopg.Error as error:
        # The driver quotes parts of the url, and with them perhaps its password.
        said = " ".join(str(error).replace(url, name).split()).replace(_password(url) or "\n", "***")
        raise StoreError(f"the store {name} cannot be reached: {said}") from None
    dialect = Dialect(failures=psycopg.Error, begin="BEGIN", placeholder="%s", takes_nul=False)
    database = Database(connection, name, url, dialect)
    try:
        with database.transaction() as transaction:
            _migrate(transaction, name)
    except BaseException:
        connection.close()
        raise
    return database


def label(url: str) -> str:
    """`url` as it may be shown: host and database, no user and no password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "postgresql://"
    return f"postgresql://{parts.hostname or ''}{parts.path}"


def _password(url: str) -> str:
    return url.partition("://")[2].rpartition("@")[0].partition(":")[2]


def translated(statement: str) -> str:
    """A statement of the schema as PostgreSQL takes it."""
    for ours, theirs in _TYPES:
        statement = statement.replace(ours, theirs)
    return statement


def _migrate(transaction: Transaction, name: str) -> None:
    transaction.do("SELECT pg_advisory_xact_lock(?)", _LOCK)
    transaction.do("CREATE TABLE IF NOT EXISTS hauberk_schema (version BIGINT NOT NULL)")
    rows = transaction.do("SELECT version FROM hauberk_schema")
    version = rows[0][0] if rows else 0
    if version > len(MIGRATIONS):
        raise StoreError(f"the store {name} was written by a newer Hauberk; upgrade, or name another with --store")
    for statements in MIGRATIONS[version:]:
        for statement in statements:
            transaction.do(translated(statement))
    transaction.do("DELETE FROM hauberk_schema")
    transaction.do("INSERT INTO hauberk_schema (version) VALUES (?)", len(MIGRATIONS))
