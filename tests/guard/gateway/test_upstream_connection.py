"""The HTTP client's connection without a socket: any chunking of an answer reads the same."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.guard.gateway.upstream.breaker import Breaker, State
from hauberk.guard.gateway.upstream.connection import HIGH_WATER, Connection, Waits
from hauberk.guard.gateway.upstream.errors import Broken, Busy, TimedOut
from hauberk.guard.gateway.upstream.pool import Pool
from hauberk.guard.settings import Circuit

WAITS = Waits(5, 5, 5)


class FakeTransport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.paused = self.closed = False

    def write(self, data: bytes) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.written += data

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True


def made() -> tuple[Connection, FakeTransport]:
    connection, transport = Connection(asyncio.get_running_loop()), FakeTransport()
    connection.connection_made(transport)
    return connection, transport


async def to_the_end(connection: Connection) -> None:
    await connection.head()
    while await connection.read():
        pass


async def read_whole(pieces: list[bytes], *, close: bool) -> tuple[int, bytes, bool]:
    connection, _ = made()
    connection.begin(b"GET / HTTP/1.1\r\n\r\n", WAITS)

    async def feed() -> None:
        for piece in pieces:
            connection.data_received(piece)
            await asyncio.sleep(0)
        if close:
            connection.connection_lost(None)

    feeding = asyncio.ensure_future(feed())
    status, body = await connection.head(), b""
    while data := await connection.read():
        body += data
    await feeding
    return status, body, connection.reusable


def cut(data: bytes, places: list[int]) -> list[bytes]:
    marks = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in zip(marks, marks[1:], strict=False)]  # noqa: RUF007 - marks may be one


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from(["length", "chunked", "close"]),
    st.lists(st.integers(1, 40), max_size=8),
    st.lists(st.integers(0, 2000), max_size=12),
    st.booleans(),
)
def test_any_chunking_reads_the_same(body: bytes, framing: str, sizes: list[int], places: list[int], interim: bool) -> None:  # noqa: FBT001
    wire = b"HTTP/1.1 100 Continue\r\n\r\n" if interim else b""
    if framing == "length":
        wire += b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    elif framing == "close":
        wire += b"HTTP/1.1 200 OK\r\n\r\n" + body
    else:
        wire += b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        rest = body
        for size in [*sizes, len(body) or 1]:
            piece, rest = rest[:size], rest[size:]
            wire += b"%x;ext=1\r\n%s\r\n" % (len(piece), piece) if piece else b""
        wire += b"0\r\nTrailer: x\r\n\r\n"
    status, read, reusable = asyncio.run(read_whole(cut(wire, places), close=framing == "close"))
    assert (status, read) == (200, body)
    assert reusable == (framing != "close")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.lists(st.integers(0, 300), max_size=8))
def test_garbage_ends_in_an_error_and_never_otherwise(data: bytes, places: list[int]) -> None:
    async def go() -> None:
        connection, _ = made()
        connection.begin(b"", WAITS)
        for piece in cut(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n" + data, places):
            connection.data_received(piece)
        connection.connection_lost(None)
        with pytest.raises(Broken):
            await to_the_end(connection)

    if b"\r\n\r\n" not in data:
        asyncio.run(go())


def test_a_slow_reader_stops_the_upstream() -> None:
    async def go() -> None:
        connection, transport = made()
        connection.begin(b"", WAITS)
        connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n")
        connection.data_received(b"x" * (HIGH_WATER + 1))
        assert transport.paused
        assert len(await connection.read() or b"") == HIGH_WATER + 1
        assert not transport.paused
        connection.abort()

    asyncio.run(go())


def test_limits_of_time() -> None:
    async def wait(waits: Waits, sent: bytes) -> None:
        connection, transport = made()
        connection.begin(b"", waits)
        connection.data_received(sent)
        with pytest.raises(TimedOut):
            await to_the_end(connection)
        assert transport.closed
        assert not connection.reusable

    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
    asyncio.run(wait(Waits(0.05, 9, 9), b"HTTP/1.1 200"))
    asyncio.run(wait(Waits(9, 0.05, 9), head))
    asyncio.run(wait(Waits(9, 9, 0.05), head))


def test_read_returns_when_asked_to_wait_no_longer() -> None:
    async def go() -> None:
        connection, _ = made()
        connection.begin(b"", WAITS)
        connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
        assert await connection.read(0.01) is None
        connection.data_received(b"abc")
        assert await connection.read(0.01) == b"abc"
        assert await connection.read(0.01) == b""

    asyncio.run(go())


def pool_of(most: int) -> Pool:
    async def make() -> Connection:
        return made()[0]

    return Pool(make, most, keep_idle=10, patience=0.05)


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def go() -> None:
        await test()

    asyncio.run(go())


def test_the_pool_lends_no_more_than_it_has_and_in_order() -> None:
    async def go() -> None:
        pool = pool_of(1)
        first = await pool.take()
        with pytest.raises(Busy):
            await pool.take()
        waiting = asyncio.ensure_future(pool.take())
        await asyncio.sleep(0)
        pool.give(first)
        assert await waiting is first
        pool.give(first)
        pool.close()
        assert pool.open == 0

    run(go)


def test_a_cancelled_wait_passes_its_turn_on() -> None:
    async def go() -> None:
        pool = pool_of(1)
        first = await pool.take()
        waiting = [asyncio.ensure_future(pool.take()) for _ in range(2)]
        await asyncio.sleep(0)
        pool.give(first)
        waiting[0].cancel()
        assert await waiting[1] is first

    run(go)


def test_the_breaker_opens_rests_longer_and_closes() -> None:
    now = [0.0]
    breaker = Breaker(Circuit(failures=2, rest=1, longest_rest=3), lambda: now[0])
    breaker.failed()
    assert breaker.enter()
    breaker.failed()
    assert (breaker.state, breaker.enter(), breaker.wait()) == (State.OPEN, False, 1)
    for rest in (2, 3, 3):
        now[0] += breaker.wait()
        assert breaker.enter()
        assert not breaker.enter(), "only one tries"
        breaker.failed()
        assert breaker.wait() == rest
    now[0] += 3
    assert breaker.enter()
    breaker.succeeded()
    assert breaker.enter()
    assert breaker.enter()
