"""A connection whose every error is one clear line. What differs between SQLite and PostgreSQL is here."""

import sqlite3
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

import msgspec

from hauberk.store.errors import StoreError, told

Row = tuple[Any, ...]


class Dialect(msgspec.Struct, frozen=True):
    """How one kind of database wants to be spoken to. The store's own statements use `?` and are standard otherwise."""

    failures: type[Exception] = sqlite3.Error
    begin: str = "BEGIN IMMEDIATE"
    placeholder: str = "?"
    takes_nul: bool = True  # whether text may hold U+0000

    def sql(self, query: str) -> str:
        """`query` with this dialect's placeholders."""
        return query if self.placeholder == "?" else query.replace("?", self.placeholder)

    def values(self, values: tuple[object, ...]) -> tuple[object, ...]:
        """`values` as this dialect takes them."""
        if self.takes_nul:
            return values
        return tuple(value.replace("\0", "\\x00") if isinstance(value, str) else value for value in values)


class Database:
    """One connection, the url that opens it again, and the name to blame it by."""

    def __init__(self, connection: Any, name: str, url: str = "", dialect: Dialect | None = None) -> None:
        self.connection = connection
        self.name = name
        self.url = url or name
        self.dialect = dialect or Dialect()

    def rows(self, query: str, *values: object) -> list[Row]:
        """All rows of a query. Raises StoreError."""
        with told(self.name, self.dialect.failures):
            return self.connection.execute(self.dialect.sql(query), self.dialect.values(values)).fetchall()

    @contextmanager
    def transaction(self) -> Generator["Transaction"]:
        """All of what is done inside, or nothing. Raises StoreError."""
        with told(self.name, self.dialect.failures):
            self.connection.execute(self.dialect.begin)
            try:
                yield Transaction(self.connection, self.dialect)
                self.connection.execute("COMMIT")
            except BaseException:
                # Full disks end SQLite's transaction by themselves; PostgreSQL takes a ROLLBACK too many as a warning.
                if getattr(self.connection, "in_transaction", True) and not getattr(self.connection, "closed", False):
                    self.connection.execute("ROLLBACK")
                raise

    @contextmanager
    def decoding(self) -> Generator[None]:
        """Turns a record that does not decode into a StoreError."""
        try:
            yield
        except msgspec.DecodeError as error:
            raise StoreError(f"the store {self.name} holds a run this version cannot read ({error}); scan again") from error


class Transaction:
    """What may be done inside a transaction."""

    __slots__ = ("_connection", "_dialect")

    def __init__(self, connection: Any, dialect: Dialect) -> None:
        self._connection = connection
        self._dialect = dialect

    def do(self, query: str, *values: object) -> list[Row]:
        """Runs one statement; its rows, if it has any."""
        cursor = self._connection.execute(self._dialect.sql(query), self._dialect.values(values))
        return cursor.fetchall() if cursor.description else []

    def do_many(self, query: str, values: Iterable[tuple[object, ...]]) -> None:
        """Runs one statement for each tuple."""
        rows = values if self._dialect.takes_nul else [self._dialect.values(row) for row in values]
        self._connection.cursor().executemany(self._dialect.sql(query), rows)
