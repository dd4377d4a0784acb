"""Connections to one origin, kept for the next request, never more than a set number."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from hauberk.guard.gateway.upstream.connection import Connection
from hauberk.guard.gateway.upstream.errors import Busy


class Pool:
    """Lends connections; the most recently used first, so that the others grow old and are closed."""

    def __init__(self, make: Callable[[], Awaitable[Connection]], most: int, keep_idle: float, patience: float) -> None:
        self._make = make
        self._most = most
        self._keep_idle = keep_idle
        self._patience = patience  # seconds that a request waits for a connection
        self._idle: deque[Connection] = deque()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closed = False
        self.open = 0  # lent, being made and idle

    async def take(self, *, fresh: bool = False) -> Connection:
        """A connection, a new one when `fresh`. Raises ConnectFailed or Busy."""
        while True:
            connection = None if fresh else self._kept()
            if connection is not None:
                return connection
            if self.open < self._most or self._discard_one():
                return await self._made()
            await self._turn()

    def give(self, connection: Connection) -> None:
        """Takes a lent connection back, and closes it if it cannot be used again."""
        if connection.reusable and not self._closed:
            connection.idle_since = asyncio.get_running_loop().time()
            connection.on_lost = self._lost
            self._idle.append(connection)
        else:
            connection.abort()
            self.open -= 1
        self._next()

    def sweep(self) -> None:
        """Closes connections that were not used for long."""
        oldest = asyncio.get_running_loop().time() - self._keep_idle
        while self._idle and self._idle[0].idle_since < oldest:
            self._discard_one()

    def close(self) -> None:
        """Closes what is idle now, and what is lent when it comes back."""
        self._closed = True
        while self._discard_one():
            pass

    def _kept(self) -> Connection | None:
        oldest = asyncio.get_running_loop().time() - self._keep_idle
        while self._idle:
            connection = self._idle.pop()
            connection.on_lost = None
            if connection.reusable and connection.idle_since >= oldest:
                return connection
            connection.abort()
            self.open -= 1
        return None

    def _discard_one(self) -> bool:
        if not self._idle:
            return False
        connection = self._idle.popleft()
        connection.on_lost = None
        connection.abort()
        self.open -= 1
        return True

    async def _made(self) -> Connection:
        self.open += 1
        try:
            return await self._make()
        except BaseException:
            self.open -= 1
            self._next()
            raise

    async def _turn(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._patience):
                await turn
        except TimeoutError:
            raise Busy("every connection to the upstream is in use") from None
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._next()  # the turn was given and will not be used
            raise
        finally:
            if turn in self._waiting:
                self._waiting.remove(turn)

    def _next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _lost(self, connection: Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
            self.open -= 1
            self._next()
