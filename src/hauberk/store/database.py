"""A connection whose every error is one clear line."""

import sqlite3
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

import msgspec

from hauberk.store.errors import StoreError, told

Row = tuple[Any, ...]


class Database:
    """One connection and the name to blame it by."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self.connection = connection
        self.name = name

    def rows(self, query: str, *values: object) -> list[Row]:
        """All rows of a query. Raises StoreError."""
        with told(self.name):
            return self.connection.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Generator["Transaction"]:
        """All of what is done inside, or nothing. Raises StoreError."""
        with told(self.name):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield Transaction(self.connection)
                self.connection.execute("COMMIT")
            except BaseException:
                # Full disks end the transaction by themselves.
                if self.connection.in_transaction:
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

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def do(self, query: str, *values: object) -> list[Row]:
        """Runs one statement; its rows, if it has any."""
        return self._connection.execute(query, values).fetchall()

    def do_many(self, query: str, values: Iterable[tuple[object, ...]]) -> None:
        """Runs one statement for each tuple."""
        self._connection.executemany(query, values)
