"""Streams that are passed on as they come: a reader that is slow, an upstream that turns bad or dies half-way."""

import asyncio
import json
import socket
import time
from itertools import pairwise

import pytest
from gateway_harness import EVENTS_HEAD, STREAM, NewGateway, Running, ScriptedUpstream, chunk, chunked, table_for, until
from hypothesis import given, settings
from hypothesis import strategies as st
from test_gateway_revoked import Guarded, asked, patient, read_until

from hauberk.guard.dialects.dialect import BadUpstream
from hauberk.guard.gateway.open_hooks import OpenInspector
from hauberk.guard.gateway.upstream.connection import HIGH_WATER, Connection, Waits
from hauberk.guard.gateway.upstream.errors import Broken, TimedOut

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
INSPECTORS = pytest.mark.parametrize("inspector", [OpenInspector(), Guarded()], ids=["bare", "guarded"])


class Wire(asyncio.Transport):
    """A transport that goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.paused = self.closed = False

    def write(self, data: bytes) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        pass

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True


async def begun(waits: Waits | None = None) -> tuple[Connection, Wire]:
    connection, wire = Connection(asyncio.get_running_loop()), Wire()
    connection.connection_made(wire)
    connection.begin(b"", waits or Waits(5, 5, 5))
    connection.data_received(HEAD)
    await connection.head()
    return connection, wire


async def poured(connection: Connection, full_at: set[int]) -> bytes:
    """The body, where the reader is full after the pieces of these numbers."""
    got: list[bytes] = []

    def take(data: bytes) -> bool:
        got.append(data)
        return len(got) not in full_at

    done = False
    while not done:
        done = await connection.pour(take)
        await asyncio.sleep(0)
    return b"".join(got)


@given(
    st.lists(st.binary(min_size=1, max_size=50), max_size=12),
    st.lists(st.integers(0, 2000), max_size=20),
    st.sets(st.integers(1, 30), max_size=20),
)
@settings(max_examples=150, deadline=None)
def test_what_is_poured_is_the_body_however_it_comes_and_whenever_the_reader_is_full(
    pieces: list[bytes], places: list[int], full_at: set[int]
) -> None:
    wire = chunked(*pieces)
    cuts = sorted({0, len(wire), *(place % len(wire) for place in places)})

    async def go() -> None:
        connection, _ = await begun()
        pouring = asyncio.ensure_future(poured(connection, full_at))
        for number, (start, end) in enumerate(pairwise(cuts)):
            connection.data_received(wire[start:end])
            if number % 3:
                await asyncio.sleep(0)
        assert await pouring == b"".join(pieces)
        assert connection.reusable

    asyncio.run(go())


def test_a_full_reader_stops_the_upstream_until_it_pours_again() -> None:
    async def go() -> None:
        connection, wire = await begun()
        pouring = asyncio.ensure_future(connection.pour(lambda _data: False))
        await asyncio.sleep(0)
        connection.data_received(chunked(b"first", end=False))
        assert await pouring is False
        for _ in range(HIGH_WATER // 1000 + 1):
            connection.data_received(chunked(b"x" * 1000, end=False))
        assert wire.paused
        sizes: list[int] = []
        pouring = asyncio.ensure_future(connection.pour(lambda data: sizes.append(len(data)) or True))
        await asyncio.sleep(0)
        assert not wire.paused
        assert sum(sizes) > HIGH_WATER
        connection.data_received(b"0\r\n\r\n")
        assert await pouring is True

    asyncio.run(go())


def test_what_the_reader_raises_in_mid_pour_is_raised_where_it_was_asked_for() -> None:
    def take(data: bytes) -> bool:
        if data == b"bad":
            raise BadUpstream("no event")
        return True

    async def go() -> None:
        connection, _ = await begun()
        pouring = asyncio.ensure_future(connection.pour(take))
        await asyncio.sleep(0)
        connection.data_received(chunked(b"good", end=False))
        connection.data_received(chunked(b"bad", end=False))
        connection.data_received(chunked(b"more", end=False))
        with pytest.raises(BadUpstream, match="no event"):
            await pouring
        assert not connection.reusable, "the rest of the answer is unread"

    asyncio.run(go())


@pytest.mark.parametrize("late", [False, True], ids=["while it pours", "before it pours again"])
def test_an_upstream_that_dies_gives_what_came_before(*, late: bool) -> None:
    async def go() -> None:
        connection, _ = await begun()
        got: list[bytes] = []
        pouring = asyncio.ensure_future(connection.pour(lambda data: got.append(data) or not late))
        await asyncio.sleep(0)
        connection.data_received(chunked(b"one", end=False))
        if late:
            assert await pouring is False
            connection.data_received(chunked(b"two", end=False))
            pouring = asyncio.ensure_future(connection.pour(lambda data: got.append(data) or True))
        connection.connection_lost(None)
        with pytest.raises(Broken, match="closed the connection"):
            await pouring
        assert b"".join(got) == (b"onetwo" if late else b"one")

    asyncio.run(go())


def test_silence_in_mid_pour_ends_in_time() -> None:
    async def go() -> None:
        connection, wire = await begun(Waits(5, 0.05, 5))
        with pytest.raises(TimedOut):
            await connection.pour(lambda _data: True)
        assert wire.closed

    asyncio.run(go())


# the whole way, over sockets


@INSPECTORS
def test_a_slow_reader_gets_every_event_in_order(
    upstream: ScriptedUpstream, new_gateway: NewGateway, inspector: OpenInspector
) -> None:
    words = [f"word{number} " + "x" * 6000 for number in range(200)]

    def pours(conn: socket.socket, _request: bytes) -> None:
        conn.sendall(EVENTS_HEAD + chunked(*map(chunk, words), chunk(None, "stop"), b"data: [DONE]\n\n"))

    upstream.script = pours
    gateway = new_gateway(patient(upstream), inspector)
    with asked(gateway) as conn:
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        time.sleep(0.3)  # until buffers are full all the way back
        data = read_until(conn, b"\r\n0\r\n\r\n")
    assert said(data) == "".join(words)
    assert data.rstrip().endswith(b"data: [DONE]\n\n\r\n0")
    until(lambda: gateway.recorder.records)
    assert gateway.recorder.records[0].answer_text == "".join(words)


BAD = {
    "no json": b"data: {broken\n\n",
    "an error": b'data: {"error":{"message":"secret trace","type":"server_error"}}\n\n',
    "no choices": b'data: {"choices":7}\n\n',
}


@INSPECTORS
@pytest.mark.parametrize("bad", BAD)
def test_an_event_that_cannot_be_read_ends_the_stream_after_what_came_before(
    upstream: ScriptedUpstream, new_gateway: NewGateway, inspector: OpenInspector, bad: str
) -> None:
    def turns(conn: socket.socket, _request: bytes) -> None:
        conn.sendall(EVENTS_HEAD + chunked(*STREAM[:2], end=False))
        time.sleep(0.3)  # the pouring has begun, and a guard has let go what it held
        conn.sendall(chunked(BAD[bad], *STREAM[2:]))

    upstream.script = turns
    gateway = new_gateway(table_for(upstream), inspector)
    ends_in_error(gateway, "word0 word1 ")


@INSPECTORS
def test_an_upstream_that_dies_in_mid_stream_leaves_a_clear_last_event(
    upstream: ScriptedUpstream, new_gateway: NewGateway, inspector: OpenInspector
) -> None:
    def dies(conn: socket.socket, _request: bytes) -> None:
        conn.sendall(EVENTS_HEAD + chunked(*STREAM[:2], end=False))
        time.sleep(0.3)
        conn.shutdown(socket.SHUT_RDWR)

    upstream.script = dies
    gateway = new_gateway(table_for(upstream), inspector)
    ends_in_error(gateway, "word0 word1 ")


def ends_in_error(gateway: Running, text: str) -> None:
    with asked(gateway) as conn:
        data = read_until(conn, b"\r\n0\r\n\r\n")
    assert said(data) == text
    events = [line[6:] for line in data.split(b"\n") if line.startswith(b"data: ")]
    assert events[-1] == b"[DONE]"
    error = json.loads(events[-2])["error"]
    assert error["type"] == "api_error"
    assert b"secret trace" not in data
    until(lambda: gateway.recorder.records)
    (record,) = gateway.recorder.records
    assert record.error
    assert record.incident == error["incident_id"]
    assert gateway.gate.settled[0][2] is False


def said(data: bytes) -> str:
    """The text of the events in `data`, which is a whole response on the wire."""
    events = [line[6:] for line in data.split(b"\n") if line.startswith(b"data: {")]
    choices = [choice for event in events for choice in json.loads(event).get("choices", ())]
    return "".join(choice["delta"].get("content", "") for choice in choices)
