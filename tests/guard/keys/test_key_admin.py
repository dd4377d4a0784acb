"""Creating, changing and finding keys; the store between processes."""

import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hauberk.guard.keys import (
    AdminEvent,
    KeyAdmin,
    KeyProblem,
    KeyRing,
    KeyStoreError,
    SqliteKeyStore,
    Status,
    Terms,
)
from hauberk.guard.keys.token import well_formed


class Clock:
    def __init__(self, at: float = 1_000.0) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


class House:
    def __init__(self, path: Path, pepper: bytes = b"pepper") -> None:
        self.clock = Clock()
        self.events: list[AdminEvent] = []
        self.ring = KeyRing(SqliteKeyStore(path), pepper, clock=self.clock)
        self.admin = KeyAdmin(self.ring, self.events.append, self.clock)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "keys.db")


def test_a_key_is_shown_once_and_kept_as_a_hash(house: House, tmp_path: Path) -> None:
    view, token = house.admin.create(Terms(name="app", tenant="acme"), "root")
    assert well_formed(token)
    permit = house.ring.find(token)
    assert permit is not None
    assert permit.key.id == view.id
    assert permit.live(house.clock())
    for file in tmp_path.iterdir():
        assert token.encode() not in file.read_bytes()
        assert token[3:30].encode() not in file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert token not in repr(house.events)
    assert token not in repr(house.admin.list())
    assert view.hint == token[-6:]


def test_what_is_no_key_finds_nothing(house: House) -> None:
    _, token = house.admin.create(Terms(name="app"), "root")
    for wrong in ("", "hk-", token[:-1], token[:-1] + ("a" if token[-1] != "a" else "b"), token + "x", "sk-123", "\ud800"):
        assert house.ring.find(wrong) is None


def test_another_pepper_opens_nothing(house: House, tmp_path: Path) -> None:
    _, token = house.admin.create(Terms(name="app"), "root")
    assert House(tmp_path / "keys.db", b"other").ring.find(token) is None


def test_suspend_resume_revoke_take_hold_at_once(house: House) -> None:
    view, token = house.admin.create(Terms(name="app"), "root")
    house.admin.suspend(view.id, "ann", "odd traffic")
    shown = house.admin.show(view.id)
    assert (shown.status, shown.reason, shown.changed_by, shown.changed) == (Status.SUSPENDED, "odd traffic", "ann", 1_000.0)
    assert not house.ring.active(view.id, 0)
    house.admin.resume(view.id, "ann")
    assert house.ring.active(view.id, 0)
    house.admin.revoke(view.id, "ann", "leaked")
    assert house.ring.find(token) is None
    assert not house.ring.active(view.id, 0)
    with pytest.raises(KeyProblem, match="for good"):
        house.admin.resume(view.id, "ann")
    with pytest.raises(KeyProblem, match="for good"):
        house.admin.rotate(view.id, "ann")
    assert [e.action for e in house.events] == ["create", "suspend", "resume", "revoke"]
    assert house.events[1].before is not None
    assert house.events[1].before.status is Status.ACTIVE


def test_rotation_keeps_the_old_token_for_its_grace(house: House) -> None:
    view, old = house.admin.create(Terms(name="app"), "root")
    _, new = house.admin.rotate(view.id, "ann", grace=60)
    for token in (old, new):
        permit = house.ring.find(token)
        assert permit is not None
        assert permit.live(house.clock())
    house.clock.at += 60
    gone, kept = house.ring.find(old), house.ring.find(new)
    assert gone is not None
    assert kept is not None
    assert not gone.live(house.clock())
    assert kept.live(house.clock())
    _, newer = house.admin.rotate(view.id, "ann", grace=0)
    assert house.ring.find(new) is None
    assert house.ring.find(newer) is not None


def test_update_replaces_the_terms(house: House) -> None:
    view, token = house.admin.create(Terms(name="app"), "root")
    house.admin.update(view.id, Terms(name="app", models=("small",)), "ann")
    permit = house.ring.find(token)
    assert permit is not None
    assert not permit.model("large")


def test_a_change_that_the_audit_cannot_take_is_undone_unless_it_closes(house: House) -> None:
    view, token = house.admin.create(Terms(name="app"), "root")

    def full(_event: AdminEvent) -> None:
        raise OSError("disk full")

    deaf = KeyAdmin(house.ring, full, house.clock)
    with pytest.raises(KeyStoreError, match="disk full"):
        deaf.create(Terms(name="other"), "root")
    with pytest.raises(KeyStoreError):
        deaf.update(view.id, Terms(name="changed"), "root")
    assert [v.terms.name for v in house.admin.list()] == ["app"]
    with pytest.raises(OSError, match="disk full"):
        deaf.revoke(view.id, "root", "leaked")
    assert house.ring.find(token) is None  # taking access away does not wait for the audit


def test_unknown_ids_are_told(house: House) -> None:
    with pytest.raises(KeyProblem, match="there is no key"):
        house.admin.show("key_nope")
    with pytest.raises(KeyProblem, match="there is no key"):
        house.admin.revoke("key_nope", "ann", "x")


def test_another_connection_sees_a_revocation_at_its_next_look(house: House, tmp_path: Path) -> None:
    view, token = house.admin.create(Terms(name="app"), "root")
    other = House(tmp_path / "keys.db")
    assert other.ring.find(token) is not None
    house.admin.revoke(view.id, "ann", "leaked")
    other.clock.at += 0.5
    assert other.ring.find(token) is None


REVOKE = """
import sys
from hauberk.guard.keys import KeyAdmin, KeyRing, SqliteKeyStore
KeyAdmin(KeyRing(SqliteKeyStore(sys.argv[1]), b"pepper")).revoke(sys.argv[2], "other process", "leaked")
"""


def test_a_revocation_in_another_process_is_seen_at_the_next_poll(house: House, tmp_path: Path) -> None:
    path = str(tmp_path / "keys.db")
    view, token = house.admin.create(Terms(name="app"), "root")
    ring = KeyRing(SqliteKeyStore(path), b"pepper")
    assert ring.find(token) is not None
    subprocess.run([sys.executable, "-c", REVOKE, path, view.id], check=True, timeout=60)
    deadline = time.monotonic() + 10
    while ring.find(token) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_damaged_record_closes_its_own_key_only(house: House, tmp_path: Path) -> None:
    view, token = house.admin.create(Terms(name="app"), "root")
    _, good = house.admin.create(Terms(name="good"), "root")
    with sqlite3.connect(tmp_path / "keys.db") as db:
        db.execute("UPDATE key SET body = x'00ff' WHERE id = ?", (view.id,))
    db.close()
    ring = KeyRing(SqliteKeyStore(tmp_path / "keys.db"), b"pepper")
    assert ring.find(token) is None
    assert ring.find(good) is not None
    assert ring.damaged == 1


def test_a_store_that_cannot_be_read_keeps_what_is_known_and_says_so(house: House) -> None:
    _, token = house.admin.create(Terms(name="app"), "root")
    house.ring.store.close()
    house.clock.at += 5
    assert house.ring.find(token) is not None
    assert house.ring.gap is not None
    assert house.ring.age == 5.0


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to look like one" * 20, b"SQLite format 3\0" * 64])
def test_files_that_are_no_store_are_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.db"
    path.write_bytes(content)
    with pytest.raises(KeyStoreError, match=r"other\.db"):
        SqliteKeyStore(path)


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA application_id = 7")
    db.close()
    with pytest.raises(KeyStoreError, match="something else"):
        SqliteKeyStore(path)
