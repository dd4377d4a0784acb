"""The server's side of a connection: uvicorn's HTTP/1.1 protocol, with deadlines and bounds that it lacks."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from hauberk.guard.gateway.app import LOST, WRITE
from hauberk.guard.gateway.bare import bare_error
from hauberk.guard.gateway.light import LightFlow, Signal, Waiting
from hauberk.guard.settings import Bounds, Deadlines

LONGEST_URL = 8 << 10
MOST_PIPELINED = 16

_OFFER = frozenset((b"connection", b"upgrade", b"http2-settings"))
_TOKEN = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:@%/?\[\]-]+")


class Doorkeeper:
    """What the connections of one process share: the settings, the count for each source, and a look at the clock.

    One timer looks at every connection, so that an idle stream carries no timer of its own.
    """

    def __init__(self, deadlines: Deadlines, bounds: Bounds) -> None:
        self.deadlines = deadlines
        self.bounds = bounds
        self.sources: Counter[str] = Counter()
        self.connections: set[GuardedProtocol] = set()
        self.trusted: Callable[[str], bool] = lambda _address: False

    def look(self, now: float) -> None:
        """Closes every connection that is past its deadline."""
        for connection in list(self.connections):
            connection.look(now)

    def enter(self, connection: "GuardedProtocol", source: str) -> bool:
        """Whether one more connection may come from `source`."""
        full = len(self.connections) >= self.bounds.connections
        crowded = self.sources[source] >= self.bounds.connections_per_source and not self.trusted(source)
        if full or crowded:
            return False
        self.connections.add(connection)
        self.sources[source] += 1
        return True

    def leave(self, connection: "GuardedProtocol", source: str) -> None:
        """The connection is gone."""
        if connection in self.connections:
            self.connections.discard(connection)
            self.sources[source] -= 1
            if self.sources[source] <= 0:
                del self.sources[source]


class GuardedProtocol(HttpToolsProtocol):
    """A connection of a client. Slow or endless headers and bodies, silence and unread answers all end it."""

    # Slots keep uvicorn's attributes few enough for Python to share their names between all connections: 1.2 KiB for each.
    __slots__ = ("_body_began", "_deadline", "_in_head", "_keeper", "_lost", "_received", "_write_deadline")

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any], keeper: Doorkeeper) -> None:
        super().__init__(config, server_state, app_state, asyncio.get_running_loop())
        self.pipeline = cast("Any", Waiting())
        self._keeper = keeper
        self._deadline = 0.0  # of what is being received; 0 for none
        self._write_deadline = 0.0  # of what the client has not read
        self._body_began = 0.0
        self._received = 0  # bytes of the head, then of the body
        self._in_head = True
        self._lost: Callable[[], None] | None = None

    # connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # pyright: ignore[reportArgumentType]
        self.flow = LightFlow(self.transport)
        self._deadline = self.loop.time() + self._keeper.deadlines.header
        if not self._keeper.enter(self, self._source):
            self._end(429, "too_many_connections", "Too many connections. Use fewer, and keep them open.")

    def connection_lost(self, exc: Exception | None) -> None:
        self._keeper.leave(self, self._source)
        self._deadline = self._write_deadline = 0.0
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        if self._lost is not None:
            self._lost()
            self._lost = None

    @property
    def _source(self) -> str:
        return self.client[0] if self.client else ""

    def on_lost(self, call: Callable[[], None] | None) -> None:
        """Whom to tell when the client goes away; None for nobody."""
        self._lost = call
        if call is not None and self.transport.is_closing():
            call()

    # receiving

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        parser = cast("httptools.HttpRequestParser | None", self.parser)
        if parser is None or self.transport.is_closing():
            return
        if self._in_head:
            if not self._deadline:
                self._deadline = self.loop.time() + self._keeper.deadlines.header
            self._received += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._decline(data[int(offer.args[0]) :])
            return
        except httptools.HttpParserError as error:
            inner = error.__context__
            if isinstance(inner, _Unacceptable):
                self._end(inner.status, "invalid_request_error", str(inner))
            else:
                self._end(400, "invalid_request_error", "The request is not sound HTTP/1.1.")
            return
        if self._in_head and self._received > self._keeper.bounds.header:
            self._end(431, "headers_too_large", "The request's headers are too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {LOST: self.on_lost, WRITE: self.write_events}  # pyright: ignore[reportGeneralTypeIssues]
        if len(self.pipeline) >= MOST_PIPELINED:
            raise _Unacceptable(429, "Too many requests are pipelined on one connection.")

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > LONGEST_URL or not _TOKEN.fullmatch(url):
            raise _Unacceptable(414 if len(self.url) > LONGEST_URL else 400, "The address is too long or has odd characters.")

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # trailers say nothing that is asked here
        super().on_header(name, value)
        if len(self.headers) > self._keeper.bounds.headers:
            raise _Unacceptable(431, "The request has too many headers.")

    def on_headers_complete(self) -> None:
        self._check_framing()
        if self._offered:
            return
        now = self.loop.time()
        self._in_head = False
        self._received = 0
        self._body_began = now
        self._deadline = now + self._keeper.deadlines.body
        super().on_headers_complete()
        self.cycle.message_event = cast("Any", Signal())  # nobody waits for the other yet

    def on_body(self, body: bytes) -> None:
        self._received += len(body)
        if self._received > self._keeper.bounds.body and self.cycle.response_complete:
            raise _Unacceptable(413, "The request body is too large.")
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._offered:
            return
        self._deadline = 0.0
        self._in_head = True
        self._received = 0
        super().on_message_complete()

    @property
    def _offered(self) -> bool:
        """Whether the request offers to speak another protocol."""
        assert self.parser is not None
        return self.parser.should_upgrade()

    def _decline(self, rest: bytes) -> None:
        """Reads a request again without its offer of another protocol, which JDK clients make for HTTP/2.

        The parser leaves the body of such a request unread. The connection ends with the answer.
        """
        assert self.parser is not None
        start = self.parser.get_method() + b" " + self.url + b" HTTP/1.1\r\n"
        kept = [b"%s: %s\r\n" % pair for pair in self.headers if pair[0] not in _OFFER]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._in_head = True
        self.data_received(b"".join((start, *kept, b"connection: close\r\n\r\n", rest)))

    def _check_framing(self) -> None:
        """Refuses what two servers might read differently."""
        names = [name for name, _ in self.headers]
        coded = [value for name, value in self.headers if name == b"transfer-encoding"]
        assert self.parser is not None
        if self.parser.get_method() == b"CONNECT":
            raise _Unacceptable(405, "This is no forward proxy.")
        modern = self.parser.get_http_version() == "1.1"
        if coded and (coded[0].lower() != b"chunked" or len(coded) > 1 or not modern):
            raise _Unacceptable(400, "The transfer-encoding must be plain chunked, in HTTP/1.1.")
        if names.count(b"host") > 1 or (modern and b"host" not in names):
            raise _Unacceptable(400, "The request needs one Host header.")

    # sending

    def write_events(self, data: bytes) -> bool:
        """Writes one chunk of the answer under way, as uvicorn's `send` would; False when the client must read first."""
        if self.flow.write_paused or self.transport.is_closing():
            return False
        self.transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        return True

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_deadline = self.loop.time() + self._keeper.deadlines.write

    def resume_writing(self) -> None:
        super().resume_writing()
        self._write_deadline = 0.0

    # time

    def look(self, now: float) -> None:
        """Ends the connection if a deadline has passed."""
        if self._write_deadline and now > self._write_deadline:
            self.transport.abort()
        elif self._deadline and now > self._deadline and not self._excused(now):
            self._end(408, "request_timeout", "The request did not arrive in time.")

    def _excused(self, now: float) -> bool:
        """Whether the delay is ours, or the body comes fast enough."""
        if self.flow.read_paused:
            self._deadline = now + self._keeper.deadlines.body
            return True
        if self._in_head:
            return False
        limits = self._keeper.deadlines
        self._deadline = self._body_began + limits.body + self._received / limits.body_rate
        return now <= self._deadline

    def _end(self, status: int, code: str, words: str) -> None:
        """Says why, unless an answer is on its way or was given, and closes."""
        self._deadline = 0.0
        if self.transport.is_closing():
            return
        cycle = cast("RequestResponseCycle | None", self.cycle)
        idle = cycle is None or cycle.response_complete
        may_speak = idle if self._in_head else cycle is not None and not cycle.response_started
        if status == 408 and self._in_head and not self._received:
            self.transport.abort()  # silence is answered with silence
            return
        if may_speak:
            self.transport.write(bare_error(status, code, words))
        self.transport.close()


class _Unacceptable(Exception):
    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
