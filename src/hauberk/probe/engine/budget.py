"""Budget: hard bounds. The worst case of a request is set aside before it is sent, and what it took is settled after."""

import asyncio
import time
from collections.abc import Callable

import msgspec

from hauberk.probe.engine.errors import Stop
from hauberk.probe.engine.settings import Limits, Prices
from hauberk.probe.targets.target import Usage


class Spent(msgspec.Struct):
    """What was taken so far. `tokens` are of prompts and answers together."""

    requests: int = 0
    tokens: int = 0
    cost: float = 0.0


class Reserved(msgspec.Struct, frozen=True):
    """What is set aside for one request."""

    requests: int
    tokens: int
    cost: float
    prices: Prices


class Budget:
    """Shared by all requests of a run; used from one event loop."""

    def __init__(self, limits: Limits, spent: Spent | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.spent = spent or Spent()
        self._held = Spent()
        self._clock = clock
        self._end = None if limits.seconds is None else clock() + limits.seconds
        self._waiting: list[asyncio.Future[None]] = []

    async def reserve(self, prompt: int, completion: int, prices: Prices, *, requests: int = 1) -> Reserved:
        """Sets aside so many tokens at most. Waits for others' unused reserves where they may make room. Raises Stop."""
        wanted = Reserved(requests, prompt + completion, prices.of(prompt, completion), prices)
        while True:
            if self.seconds_left <= 0:
                raise Stop(self.time_is_over)
            over = self._over(wanted, self.spent)
            if over:
                raise Stop(over)
            total = Spent(
                self.spent.requests + self._held.requests, self.spent.tokens + self._held.tokens, self.spent.cost + self._held.cost
            )
            if not self._over(wanted, total):
                self._hold(wanted, 1)
                return wanted
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            await waiting

    def settle(self, reserved: Reserved, usage: Usage | None, requests: int | None = None) -> None:
        """Counts what an answer took; all that was set aside where `usage` or `requests` is None (nobody knows)."""
        self.spent.requests += reserved.requests if requests is None else min(requests, reserved.requests)
        self.spent.tokens += reserved.tokens if usage is None else usage.prompt + usage.completion
        self.spent.cost += reserved.cost if usage is None else reserved.prices.of(usage.prompt, usage.completion)
        self.release(reserved)

    def release(self, reserved: Reserved) -> None:
        """Gives back what was set aside for a request that was not sent, or is settled."""
        self._hold(reserved, -1)
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)

    @property
    def seconds_left(self) -> float:
        """Until the time is over; infinite when there is no bound."""
        return float("inf") if self._end is None else self._end - self._clock()

    @property
    def time_is_over(self) -> str:
        """The words for it."""
        return f"budget: {self.limits.seconds or 0:g} seconds are over"

    def _hold(self, reserved: Reserved, sign: int) -> None:
        self._held.requests += sign * reserved.requests
        self._held.tokens += sign * reserved.tokens
        self._held.cost += sign * reserved.cost

    def _over(self, wanted: Reserved, spent: Spent) -> str:
        limits = self.limits
        if limits.requests is not None and wanted.requests and spent.requests + wanted.requests > limits.requests:
            return f"budget: {limits.requests:,} requests"
        if limits.tokens is not None and spent.tokens + wanted.tokens > limits.tokens:
            return f"budget: {limits.tokens:,} tokens"
        if limits.cost is not None and spent.cost + wanted.cost > limits.cost * (1 + 1e-9):
            return f"budget: cost of {limits.cost:g}"
        return ""
