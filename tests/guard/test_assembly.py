"""Parts made anew on a reload carry on what the former ones counted and learnt."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hauberk.guard.assembly import Assembly
from hauberk.guard.dialects.dialect import Refusal
from hauberk.guard.exchange import Exchange, Operation, Usage
from hauberk.guard.gate import KeyGate
from hauberk.guard.gateway.app import Parts
from hauberk.guard.gateway.hooks import Caller, Grant
from hauberk.guard.keys import KeyAdmin, KeyRing, SqliteKeyStore, Terms
from hauberk.guard.limits.quota import Quota
from hauberk.guard.settings import GuardSettings, guard_settings


@pytest.fixture
def token(tmp_path: Path) -> Iterator[str]:
    store = SqliteKeyStore(str(tmp_path / "keys.db"))
    terms = Terms(name="ci", tenant="team-a", quota=Quota(requests=1))
    yield KeyAdmin(KeyRing(store, b""), lambda _event: None).create(terms, "ann")[1]
    store.close()


def settings_of(folder: Path, **more: Any) -> GuardSettings:
    keys = {"store": str(folder / "keys.db")}
    return guard_settings({"keys": keys, "detect": {"enabled": False}, "audit": {"folder": str(folder / "log")}, **more})


async def asked(parts: Parts, token: str) -> str:
    """What the gate answers, and whom it names."""
    exchange = Exchange(Operation.CHAT, "m", {})
    caller = Caller(token, "192.0.2.7", "/v1/chat/completions", "req_1")
    granted = await parts.gate.admit(caller, exchange)
    if isinstance(granted, Refusal):
        return granted.code
    parts.gate.settle(granted, Usage(1, 1), completed=True)
    assert isinstance(granted, Grant)
    return exchange.caller


async def started(assembly: Assembly, settings: GuardSettings, former: Parts | None = None) -> Parts:
    parts = assembly.make(settings, former)
    assert parts.start is not None
    await parts.start()
    return parts


async def stopped(*all_parts: Parts) -> None:
    for parts in all_parts:
        assert parts.stop is not None
        await parts.stop()


def test_what_was_counted_outlives_a_reload_that_leaves_limits_alone(tmp_path: Path, token: str) -> None:
    async def run() -> list[str]:
        assembly = Assembly()
        first = await started(assembly, settings_of(tmp_path))
        told = [await asked(first, token)]
        second = await started(assembly, settings_of(tmp_path, fail="open"), first)
        assert second.gate is first.gate
        await stopped(first)
        told.append(await asked(second, token))
        await stopped(second)
        return told

    assert asyncio.run(run()) == ["ci (team-a)", "rate_limit_exceeded"]


def test_baselines_outlive_a_reload_that_changes_limits(tmp_path: Path, token: str) -> None:
    async def run() -> tuple[bytes, bytes]:
        assembly = Assembly()
        first = await started(assembly, settings_of(tmp_path))
        await asked(first, token)
        second = await started(assembly, settings_of(tmp_path, limits={"concurrency": 7}), first)
        assert isinstance(first.gate, KeyGate)
        assert isinstance(second.gate, KeyGate)
        assert second.gate is not first.gate
        await stopped(first)
        assert await asked(second, token) == "ci (team-a)"
        await stopped(second)
        return first.gate.monitor.snapshot(), second.gate.monitor.snapshot()

    before, after = (msgspec.msgpack.decode(data) for data in asyncio.run(run()))
    assert list(before) == list(after)
    (old,), (new,) = before.values(), after.values()
    assert old["first"] == new["first"]


def test_parts_that_were_made_and_never_used_take_nothing_with_them(tmp_path: Path, token: str) -> None:
    """A reload may fail after its parts were made: those that serve go on."""

    async def run() -> list[str]:
        assembly = Assembly()
        first = await started(assembly, settings_of(tmp_path))
        for more in ({}, {"limits": {"concurrency": 7}}):
            unused = assembly.make(settings_of(tmp_path, **more), first)
            await stopped(unused)
        told = [await asked(first, token)]
        third = await started(assembly, settings_of(tmp_path), first)
        assert third.gate is first.gate
        await stopped(first)
        told.append(await asked(third, token))
        await stopped(third)
        return told

    assert asyncio.run(run()) == ["ci (team-a)", "rate_limit_exceeded"]
