"""Which models there are behind upstreams that pass every name on: they are asked for their lists."""

import asyncio
import time
from collections.abc import Callable

from hauberk.guard.dialects.dialect import BadUpstream
from hauberk.guard.dialects.models import read_models
from hauberk.guard.gateway.upstream.connection import Waits
from hauberk.guard.gateway.upstream.directory import Directory
from hauberk.guard.gateway.upstream.errors import UpstreamError
from hauberk.guard.gateway.upstream.upstream import Upstream
from hauberk.guard.settings import Api

FRESH = 60.0  # seconds that a list is taken for true
FAILED = 10.0  # seconds before an upstream that gave none is asked again
WAIT = 5.0  # seconds for the whole list
MOST_BYTES = 4 << 20
MOST_NAMES = 10_000
LONGEST_NAME = 256
_PATHS = {Api.OPENAI: ("/models", b""), Api.ANTHROPIC: ("/models?limit=1000", b"anthropic-version: 2023-06-01\r\n")}


class Offer:
    """The models of one configuration, with those that upstreams name."""

    def __init__(self, directory: Directory, clock: Callable[[], float] = time.monotonic) -> None:
        self._directory = directory
        self._lists = [_List(upstream, clock) for upstream in directory.passing]

    async def names(self) -> list[str]:
        """Every name once: what is configured, then what upstreams that answer have. Takes at most `WAIT` seconds."""
        if not self._lists:
            return list(self._directory.names)
        lists = await asyncio.gather(*(one.names() for one in self._lists))
        return list(dict.fromkeys((*self._directory.names, *(name for names in lists for name in names))))


class _List:
    """The list of one upstream, kept for a while. Callers that come while it is asked for wait for the same answer."""

    def __init__(self, upstream: Upstream, clock: Callable[[], float]) -> None:
        self._upstream = upstream
        self._clock = clock
        self._names: tuple[str, ...] = ()
        self._until = clock()
        self._asking: asyncio.Task[None] | None = None

    async def names(self) -> tuple[str, ...]:
        if self._asking is None and self._clock() >= self._until:
            self._asking = asyncio.create_task(self._ask())
        if self._asking is not None:
            await asyncio.shield(self._asking)  # a client that leaves takes nobody's answer with it
        return self._names

    async def _ask(self) -> None:
        keep = FRESH
        try:
            async with asyncio.timeout(WAIT):
                self._names = await self._fetched()
        except (UpstreamError, BadUpstream, TimeoutError):
            self._names, keep = (), FAILED
        finally:
            self._until = self._clock() + keep
            self._asking = None

    async def _fetched(self) -> tuple[str, ...]:
        path, headers = _PATHS[self._upstream.settings.api]
        reply = await self._upstream.send("GET", path, headers, b"", Waits(WAIT, WAIT, WAIT))
        try:
            body = await reply.whole(MOST_BYTES)
        finally:
            reply.release()
        if reply.status != 200:
            raise BadUpstream(f"status {reply.status} instead of a list of models")
        return tuple(name for name in read_models(body)[:MOST_NAMES] if len(name) <= LONGEST_NAME)
