"""The PostgreSQL side without a server: its connection is played by SQLite, which takes the same statements."""

import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest

from hauberk.core import Admission, AssetRecord, Run, Versions
from hauberk.store import Store, StoreError
from hauberk.store.postgres import label, translated
from hauberk.store.schema import MIGRATIONS

URL = "postgresql://someone:secret@db.example/audit"
RUN = Run(id="r1", command="scan", targets=("a\0b",), versions=Versions("0.1.0", "d"), started="s", ended="e")
RECORD = AssetRecord(uri="a\0b", kind="model", verdict=Admission.HOLD)


class Connection:
    """Takes what psycopg takes: `%s`, BYTEA, no NUL in text, no booleans in number columns."""

    def __init__(self, path: Path) -> None:
        self._inner = sqlite3.connect(path, isolation_level=None)
        self._inner.create_function("pg_advisory_xact_lock", 1, lambda _: None)
        self.closed = False

    def cursor(self) -> "Connection":
        return self

    def execute(self, query: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        return self._inner.execute(_ours(query), _checked(values))

    def executemany(self, query: str, rows: Iterable[tuple[object, ...]]) -> None:
        self._inner.executemany(_ours(query), [_checked(row) for row in rows])

    def close(self) -> None:
        self.closed = True
        self._inner.close()


def _ours(query: str) -> str:
    assert "?" not in query
    assert "REPLACE" not in query
    identity = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
    return query.replace("%s", "?").replace(identity, "INTEGER PRIMARY KEY AUTOINCREMENT")


def _checked(values: tuple[object, ...]) -> tuple[object, ...]:
    assert all(type(value) in {str, int, bytes} for value in values)
    assert not any(isinstance(value, str) and "\0" in value for value in values)
    return values


@pytest.fixture
def psycopg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("psycopg")
    module.Error = sqlite3.Error
    module.connect = lambda _url, **_: Connection(tmp_path / "pg.db")
    monkeypatch.setitem(sys.modules, "psycopg", module)
    return module


def test_a_run_comes_back(psycopg: ModuleType) -> None:
    with Store.open(URL) as store:
        assert store.name == URL, "a worker opens it again by this"
        store.begin_run(RUN)
        store.record(RECORD, (), (), "key")
        store.finish_run(RUN)
    with Store.open(URL) as store:
        assert store.load_run("r1") == RUN
        assert store.cached("key") == (RECORD, (), ())
        assert store.list_runs()[0].targets == ("a\0b",)
        assert store.prune(0) == 1


def test_nothing_of_a_failed_transaction_stays(psycopg: ModuleType) -> None:
    with Store.open(URL) as store:
        store.begin_run(RUN)
        with pytest.raises(StoreError, match="does not work"):
            _fail(store)
        assert len(store.list_runs()) == 1


def _fail(store: Store) -> None:
    with store._database.transaction() as transaction:
        transaction.do("DELETE FROM runs")
        transaction.do("SELECT * FROM nowhere")


def test_what_the_driver_says_is_shown_without_the_password(psycopg: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(url: str, **_: object) -> None:
        raise sqlite3.Error(f"invalid port in {url}\nmore")

    monkeypatch.setattr(psycopg, "connect", refuse)
    with pytest.raises(StoreError, match=r"invalid port in .* more") as caught:
        Store.open(URL)
    assert "secret" not in str(caught.value)


def test_a_newer_schema_is_left_alone(psycopg: ModuleType) -> None:
    with Store.open(URL) as store, store._database.transaction() as transaction:
        transaction.do("UPDATE hauberk_schema SET version = ?", len(MIGRATIONS) + 1)
    with pytest.raises(StoreError, match="newer Hauberk"):
        Store.open(URL)


def test_without_psycopg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"needs psycopg: pip install 'hauberk\[postgres\]'") as caught:
        Store.open(URL)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", [URL, "postgresql://[bad", "postgres://u:secret@h:1/d?password=secret"])
def test_no_password_is_shown(url: str) -> None:
    assert "secret" not in label(url)
    assert label(url).startswith("postgresql://")


def test_the_schema_has_no_words_of_sqlite() -> None:
    text = "\n".join(translated(statement) for statements in MIGRATIONS for statement in statements)
    assert [word for word in ("AUTOINCREMENT", "BLOB", "WITHOUT ROWID", "INTEGER") if word in text] == []
