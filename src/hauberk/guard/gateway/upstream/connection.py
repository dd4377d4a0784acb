"""One HTTP/1.1 connection to an upstream: a request out, an answer in, piece by piece, with backpressure."""

import asyncio
from collections.abc import Callable

import httptools
import msgspec

from hauberk.guard.gateway.upstream.errors import Broken, TimedOut, UpstreamError

HIGH_WATER = 256 << 10  # bytes of an unread answer before the socket is left alone
LARGEST_HEAD = 64 << 10
MOST_HEADERS = 128


class Waits(msgspec.Struct, frozen=True):
    """The seconds that an answer may take: to its first byte, between two pieces, in all."""

    first_byte: float
    idle: float
    total: float


class Connection(asyncio.Protocol):
    """Carries one exchange at a time. After any error, and after bytes nobody asked for, it is never used again."""

    __slots__ = (
        "_begun",
        "_chunks",
        "_complete",
        "_error",
        "_framing",
        "_head_bytes",
        "_head_seen",
        "_keep",
        "_last",
        "_loop",
        "_parser",
        "_paused",
        "_size",
        "_take",
        "_timer",
        "_waiter",
        "_waits",
        "answered",
        "headers",
        "idle_since",
        "on_lost",
        "status",
        "transport",
        "used",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._waiter: asyncio.Future[bool] | None = None
        self._take: Callable[[bytes], bool] | None = None  # set while `pour` waits
        self._timer: asyncio.TimerHandle | None = None
        self._error: UpstreamError | None = None
        self._waits: Waits | None = None
        self.on_lost: Callable[[Connection], None] | None = None
        self.used = 0  # exchanges begun
        self.idle_since = 0.0
        self.answered = False  # whether a byte of the present answer has come
        self._reset()

    def _reset(self) -> None:
        self._chunks: list[bytes] = []
        self._size = 0
        self._paused = False
        self._head_seen = False
        self._head_bytes = 0
        self._framing = ""
        self._keep = False
        self._complete = True
        self.status = 0
        self.headers: dict[bytes, bytes] = {}

    # what the pool and the upstream ask

    @property
    def reusable(self) -> bool:
        """Whether another request may be sent: the last answer was read to its end and the socket is quiet."""
        transport = self.transport
        return (
            self._error is None
            and self._complete
            and (self._keep or not self.used)
            and transport is not None
            and not transport.is_closing()
        )

    def begin(self, request: bytes, waits: Waits) -> None:
        """Sends `request` and makes ready for its answer."""
        assert self.transport is not None
        self._reset()
        self._complete = False
        self.answered = False
        self.used += 1
        self._waits = waits
        self._begun = self._last = self._loop.time()
        if self._parser is None:
            self._parser = httptools.HttpResponseParser(self)
        self._timer = self._loop.call_at(self._begun + min(waits.first_byte, waits.total), self._on_timer)
        self.transport.write(request)

    async def head(self) -> int:
        """The answer's status, when its headers have come. Raises UpstreamError."""
        while not self._head_seen:
            if self._error is not None:
                raise self._error
            await self._wait(None)
        return self.status

    async def read(self, wait: float | None = None) -> bytes | None:
        """The next bytes of the body, b"" at its end, None when `wait` seconds passed. Raises UpstreamError."""
        while not self._chunks:
            if self._error is not None:
                raise self._error
            if self._complete:
                return b""
            if not await self._wait(wait):
                return None
        return self._arrived()

    async def pour(self, take: Callable[[bytes], bool]) -> bool:
        """Hands the body to `take` piece by piece until that returns False; True when the body has ended.

        A piece is handed over when it arrives, without waking a task for it. Raises UpstreamError, and what `take` raises.
        """
        while True:
            if self._chunks:
                if not take(self._arrived()):
                    return False
                continue
            if self._error is not None:
                raise self._error
            if self._complete:
                return True
            self._take = take
            try:
                if not await self._wait(None):
                    return False
            finally:
                self._take = None

    def abort(self) -> None:
        """Drops the connection at once."""
        self._stop_timer()
        if self.transport is not None:
            self.transport.abort()

    def _arrived(self) -> bytes:
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
        if self._paused:
            self._paused = False
            if self.transport is not None:
                self.transport.resume_reading()
        return data

    # what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # pyright: ignore[reportAttributeAccessIssue]

    def data_received(self, data: bytes) -> None:
        if self._complete or self._parser is None:
            self._fail(Broken("the upstream sent bytes that nobody asked for"))
            return
        self._last = self._loop.time()
        self.answered = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(Broken("the upstream tried to change the protocol"))
        except httptools.HttpParserError as error:
            self._fail(Broken(f"the upstream's answer is not sound HTTP: {_cause(error)}"))
        else:
            if self._take is not None:
                self._hand_over(self._take)
            elif not self._head_seen:
                self._head_bytes += len(data)
                if self._head_bytes > LARGEST_HEAD:
                    self._fail(Broken(f"the upstream's headers are longer than {LARGEST_HEAD >> 10} KiB"))

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self._complete and self._error is None:
            if self._head_seen and self._framing == "close":
                self._finish()
            else:
                self._fail(Broken("the upstream closed the connection before its answer was complete", unsent=not self.answered))
        self.transport = None
        self._parser = None
        self._stop_timer()
        if self.on_lost is not None:
            self.on_lost(self)

    # what the parser calls

    def on_message_begin(self) -> None:
        if self._complete:  # a second answer to one request: whoever smuggles it, it is not read
            raise Broken("the upstream sent a second answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head_seen:
            return  # a trailer
        name = name.lower()
        if len(self.headers) >= MOST_HEADERS:
            raise Broken(f"the upstream sent more than {MOST_HEADERS} headers")
        if name == b"transfer-encoding" and (name in self.headers or value.lower() != b"chunked"):
            raise Broken("the upstream's transfer-encoding is not plain chunked")
        self.headers[name] = value

    def on_headers_complete(self) -> None:
        assert self._parser is not None
        status = self._parser.get_status_code()
        if status < 200:
            return
        headers = self.headers
        if b"transfer-encoding" in headers:
            if b"content-length" in headers or self._parser.get_http_version() != "1.1":
                raise Broken("the upstream's answer has two lengths")
            self._framing = "chunked"
        elif b"content-length" in headers or status in {204, 304}:
            self._framing = "length"
        else:
            self._framing = "close"
        self._keep = self._framing != "close" and self._parser.should_keep_alive()
        self.status = status
        self._head_seen = True
        if self._timer is not None and self._waits is not None and self._waits.idle < self._waits.first_byte:
            self._stop_timer()
            self._timer = self._loop.call_later(self._waits.idle, self._on_timer)
        self._wake()

    def on_body(self, body: bytes) -> None:
        self._chunks.append(body)
        self._size += len(body)
        if self._size > HIGH_WATER and not self._paused and self.transport is not None:
            self._paused = True
            self.transport.pause_reading()
        if self._take is None:
            self._wake()

    def on_message_complete(self) -> None:
        if not self._head_seen:  # 100 Continue and its like
            self._head_bytes += 64  # so that an endless row of them ends
            self.headers = {}
            if self._head_bytes > LARGEST_HEAD:
                raise Broken("the upstream sends interim answers without end")
            return
        self._finish()

    # inside

    def _finish(self) -> None:
        self._complete = True
        self._stop_timer()
        self._wake()

    def _fail(self, error: UpstreamError) -> None:
        if self._error is None:
            self._error = error
        self._stop_timer()
        if self.transport is not None:
            self.transport.abort()
        self._wake()

    def _hand_over(self, take: Callable[[bytes], bool]) -> None:
        """Hands on what has come, unless the one who waits is awake already and will."""
        waiter = self._waiter
        if not self._chunks or waiter is None or waiter.done():
            return
        try:
            more = take(self._arrived())
        except Exception as error:  # noqa: BLE001 - raised where the pouring was asked for
            waiter.set_exception(error)
        else:
            if not more:
                waiter.set_result(False)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(True)

    async def _wait(self, seconds: float | None) -> bool:
        """Until something happens; False when `seconds` passed first."""
        self._waiter = waiter = self._loop.create_future()
        timer = None if seconds is None else self._loop.call_later(seconds, _lapse, waiter)
        try:
            return await waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _on_timer(self) -> None:
        """Looks whether a limit has passed; one timer an exchange, moved only when it fires."""
        waits, now = self._waits, self._loop.time()
        assert waits is not None
        if self._paused:
            self._last = now  # it is the client who is slow
        piece = self._begun + waits.first_byte if not self._head_seen else self._last + waits.idle
        limit = min(piece, self._begun + waits.total)
        if now < limit:
            self._timer = self._loop.call_at(limit, self._on_timer)
            return
        what = "its answer" if not self._head_seen else "the rest of its answer"
        self._fail(TimedOut(f"the upstream did not send {what} within {now - self._begun:.0f} s"))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _lapse(waiter: "asyncio.Future[bool]") -> None:
    if not waiter.done():
        waiter.set_result(False)


def _cause(error: httptools.HttpParserError) -> str:
    """What the parser, or one of our own callbacks under it, objected to."""
    inner = error.__context__ or error.__cause__
    return str(inner) if isinstance(inner, Broken) else str(error)[:200]
