"""The pool of workers: all entries answered once, whatever a worker does.

The examinations here are fakes: a real reader will not hang, die or eat all memory on demand.
"""

import os
import signal
import time

import pytest

from hauberk.assets.budget import Limits
from hauberk.core import Admission, AssetRecord, GapReason
from hauberk.scan import pool
from hauberk.scan.examine import Examined
from hauberk.scan.options import ScanOptions
from hauberk.scan.pool import examine_all
from hauberk.scan.walk import Entry


def entry(name: str, size: int = 1) -> Entry:
    return Entry(path=name, uri=name, name=name, size=size, mtime_ns=0, ctime_ns=0, inode=(0, 0), allocated=size)


def examined(e: Entry) -> Examined:
    return Examined(AssetRecord(uri=e.uri, kind="binary", verdict=Admission.ADMIT), (), ())


def behave(e: Entry) -> Examined:
    if e.name == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if e.name == "hang":
        time.sleep(600)
    if e.name == "eat":
        bytearray(pool.MEMORY + (1 << 30))
    return examined(e)


def outcomes(
    names: list[str], *, jobs: int = 2, patience: float | None = None, monkeypatch: pytest.MonkeyPatch | None = None
) -> dict[str, Examined]:
    if monkeypatch and patience is not None:
        monkeypatch.setattr(pool, "patience_of", lambda _limits: patience)
    seen = list(examine_all([entry(n) for n in names], behave, jobs, ScanOptions(limits=Limits(seconds=1))))
    assert len(seen) == len(names)
    return {e.record.uri: e for e in seen}


def test_every_entry_is_answered_once() -> None:
    names = [f"f{i}" for i in range(500)]
    assert set(outcomes(names)) == set(names)


def test_a_dead_worker_costs_one_gap() -> None:
    names = [f"a{i}" for i in range(40)] + ["die"] + [f"b{i}" for i in range(40)]
    seen = outcomes(names, jobs=1)
    assert [g.reason for g in seen["die"].gaps] == [GapReason.TOO_LARGE]
    assert all(not e.gaps for name, e in seen.items() if name != "die")


def test_a_hung_worker_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = outcomes(["a", "hang", "b", "c"], patience=1.0, monkeypatch=monkeypatch)
    assert [g.reason for g in seen["hang"].gaps] == [GapReason.TIMEOUT]
    assert not seen["c"].gaps


def test_a_hungry_worker_is_bounded() -> None:
    """The address-space limit ends the allocation; the worker dies of its MemoryError and is replaced."""
    seen = outcomes(["a", "eat", "b"], jobs=1)
    assert [g.reason for g in seen["eat"].gaps] == [GapReason.TOO_LARGE]
    assert not seen["b"].gaps
