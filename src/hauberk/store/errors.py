"""What can go wrong with the record of runs, in one line each."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager


class StoreError(ValueError):
    """One line: which store, what is wrong, what to do."""


_ADVICE = (
    ("locked", "is in use by another process; try again, or name another with --store"),
    ("full", "cannot grow: the disk is full"),
    ("readonly", "is read-only; name another with --store, or scan with --no-store"),
    ("unable to open", "cannot be opened; check the folder's permissions, or name another with --store"),
    ("not a database", "is not a Hauberk store; name another with --store"),
    ("malformed", "is damaged; move it away and scan again"),
)


@contextmanager
def told(name: str, failures: type[Exception] = sqlite3.Error) -> Generator[None]:
    """Turns what the database (`failures`) or the system says into a StoreError."""
    try:
        yield
    except failures as error:
        said = " ".join(str(error).split())
        advice = next((text for part, text in _ADVICE if part in said), f"does not work: {said}")
        raise StoreError(f"the store {name} {advice}") from error
    except OSError as error:
        raise StoreError(f"the store {name} cannot be used: {(error.strerror or str(error)).lower()}") from error
