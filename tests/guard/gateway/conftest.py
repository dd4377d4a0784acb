"""A gateway and an upstream for the session, and makers of others."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from gateway_harness import Running, Script, ScriptedUpstream, good, table_for

from hauberk.guard.gateway.hooks import Inspector


@pytest.fixture(scope="session")
def shared_upstream() -> Iterator[ScriptedUpstream]:
    made = ScriptedUpstream()
    yield made
    made.close()


@pytest.fixture(scope="session")
def shared_gateway(shared_upstream: ScriptedUpstream) -> Iterator[Running]:
    table = table_for(shared_upstream)
    table["upstream"][0]["circuit"] = {"failures": 1_000_000}
    running = Running(table)
    yield running
    running.stop()


@pytest.fixture
def upstream(shared_upstream: ScriptedUpstream) -> ScriptedUpstream:
    shared_upstream.script = good
    shared_upstream.requests.clear()
    shared_upstream.gone.clear()
    return shared_upstream


@pytest.fixture
def gateway(shared_gateway: Running, upstream: ScriptedUpstream) -> Iterator[Running]:
    gate, recorder = shared_gateway.gate, shared_gateway.recorder
    for kept in (gate.granted, gate.settled, gate.callers, recorder.records):
        kept.clear()
    gate.refusal = gate.admit_refusal = recorder.error = None
    yield shared_gateway
    upstream.script = good
    shared_gateway.settled_once()


@pytest.fixture
def new_upstream() -> Iterator[Callable[[Script], ScriptedUpstream]]:
    made: list[ScriptedUpstream] = []

    def make(script: Script = good) -> ScriptedUpstream:
        made.append(ScriptedUpstream())
        made[-1].script = script
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def new_gateway() -> Iterator[Callable[..., Running]]:
    made: list[Running] = []

    def make(table: dict[str, object], inspector: Inspector | None = None) -> Running:
        made.append(Running(table, inspector))
        return made[-1]

    yield make
    for one in made:
        one.stop()
        one.settled_once()
