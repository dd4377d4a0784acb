"""One upstream: sends a request over its pool and hands back the answer as it comes."""

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable

from hauberk.guard.gateway.upstream.breaker import Breaker
from hauberk.guard.gateway.upstream.connection import Connection, Waits
from hauberk.guard.gateway.upstream.errors import Broken, UpstreamError
from hauberk.guard.gateway.upstream.origin import connect, origin_of
from hauberk.guard.gateway.upstream.pool import Pool
from hauberk.guard.settings import Api, UpstreamSettings


class Reply:
    """An answer whose headers have come. `release` must be called in the end, whatever happened."""

    __slots__ = ("_connection", "_pool", "headers", "status")

    def __init__(self, connection: Connection, pool: Pool) -> None:
        self._connection: Connection | None = connection
        self._pool = pool
        self.status = connection.status
        self.headers = connection.headers

    def read(self, wait: float | None = None) -> Awaitable[bytes | None]:
        """The next bytes, b"" at the end, None when `wait` seconds passed. Raises UpstreamError."""
        assert self._connection is not None
        return self._connection.read(wait)

    def pour(self, take: Callable[[bytes], bool]) -> Awaitable[bool]:
        """Hands `take` each piece when it arrives, until that returns False; True when the body has ended.

        Raises UpstreamError, and what `take` raises.
        """
        assert self._connection is not None
        return self._connection.pour(take)

    async def whole(self, most: int) -> bytes:
        """All of the body. Raises UpstreamError, also when it is longer than `most` bytes."""
        if self.length > most:
            raise Broken(f"the upstream's answer is longer than {most} bytes")
        pieces: list[bytes] = []
        size = 0
        while data := await self.read():
            size += len(data)
            if size > most:
                raise Broken(f"the upstream's answer is longer than {most} bytes")
            pieces.append(data)
        return b"".join(pieces)

    @property
    def length(self) -> int:
        """As the upstream declares it; 0 when it does not."""
        return int(self.headers.get(b"content-length", b"0"))

    @property
    def media_type(self) -> bytes:
        """The content type without parameters, lower case."""
        return self.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()

    def forget_head(self) -> None:
        """Lets the headers go, of which a long stream needs none."""
        self.headers = {}
        if self._connection is not None:
            self._connection.headers = {}

    async def drain(self, seconds: float) -> None:
        """Waits a little for the end of a body whose content has all come, so that the connection can be kept."""
        assert self._connection is not None
        with contextlib.suppress(UpstreamError):
            await self._connection.read(seconds)

    def release(self) -> None:
        """Gives the connection back; an answer not read to its end is broken off."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            self._pool.give(connection)


class Upstream:
    """A server of models with its pool, its circuit breaker and its health."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self.settings = settings
        self.name = settings.name
        self.origin = origin_of(settings)
        self.breaker = Breaker(settings.circuit, time.monotonic)
        self.healthy = True
        self.pool = Pool(lambda: connect(self.origin, settings.connect), settings.connections, settings.keep_idle, settings.connect)
        self._waits = Waits(settings.first_byte, settings.idle, settings.total)
        self._key = _line(os.environ.get(settings.key_env, "")) if settings.key_env else ""
        self._fixed = self._fixed_headers()

    async def send(self, method: str, path: str, headers: bytes, body: bytes, waits: Waits | None = None) -> Reply:
        """Sends one request; `headers` are whole lines. Raises UpstreamError.

        A kept connection that the upstream closed just then is no failure: the request goes out again on a fresh one.
        """
        length = b"content-length: %d\r\n\r\n" % len(body) if body or method != "GET" else b"\r\n"
        request = b"".join((f"{method} {self.origin.path}{path} HTTP/1.1\r\n".encode(), self._fixed, headers, length, body))
        connection = await self.pool.take()
        try:
            return await self._exchange(connection, request, waits or self._waits)
        except UpstreamError as error:
            if not (error.unsent and connection.used > 1):
                raise
        return await self._exchange(await self.pool.take(fresh=True), request, waits or self._waits)

    def hide(self, body: bytes) -> bytes:
        """`body` without the upstream's key, should it quote it."""
        return body.replace(self._key.encode(), b"***") if self._key else body

    async def check(self) -> None:
        """Asks the health path once and notes what came of it."""
        health = self.settings.health
        waits = Waits(health.timeout, health.timeout, health.timeout)
        try:
            async with asyncio.timeout(health.timeout):
                reply = await self.send("GET", health.path, b"", b"", waits)
                try:
                    await reply.whole(1 << 20)
                finally:
                    reply.release()
            self.healthy = reply.status < 500 and reply.status != 429
        except (UpstreamError, TimeoutError):
            self.healthy = False

    async def _exchange(self, connection: Connection, request: bytes, waits: Waits) -> Reply:
        try:
            connection.begin(request, waits)
            await connection.head()
        except BaseException:
            self.pool.give(connection)
            raise
        return Reply(connection, self.pool)

    def _fixed_headers(self) -> bytes:
        key = self._key
        lines = [f"host: {self.origin.authority}", "accept-encoding: identity", "user-agent: hauberk"]
        if key and self.settings.api is Api.ANTHROPIC:
            lines.append(f"x-api-key: {key}")
        elif key:
            lines.append(f"authorization: Bearer {key}")
        return "".join(f"{line}\r\n" for line in lines).encode("latin-1", "replace")


def _line(value: str) -> str:
    return value.strip().replace("\r", "").replace("\n", "")
