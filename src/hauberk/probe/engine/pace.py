"""Pace: how many requests may be in flight. Falls by half when the target is overloaded, rises by one each round that it is not.

Additive increase, multiplicative decrease, as in congestion control: D.-M. Chiu, R. Jain, Computer Networks and ISDN Systems 17
(1989).
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

LONGEST_PAUSE = 300.0  # seconds; a Retry-After beyond it is not waited for in full


class Pace:
    """The gate before one target."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = max(1, most)
        self.limit = float(self.most)
        self.flying = 0
        self.peak = 0
        self._clock = clock
        self._cut_at = -1.0
        self._pause_until = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> float:
        """Waits for a place; returns the time at which it was taken."""
        while True:
            pause = self._pause_until - self._clock()
            if pause > 0:
                await self._wait(pause)
            elif self.flying < max(1, int(self.limit)):
                self.flying += 1
                self.peak = max(self.peak, self.flying)
                return self._clock()
            else:
                await self._wait(None)

    @property
    def pause(self) -> float:
        """Seconds until anybody may enter again."""
        return max(0.0, self._pause_until - self._clock())

    def leave(self) -> None:
        """Gives the place back."""
        self.flying -= 1
        self._wake(max(1, int(self.limit)) - self.flying)

    def went_well(self) -> None:
        """A request was answered."""
        self.limit = min(float(self.most), self.limit + 1 / max(1.0, self.limit))

    def overloaded(self, started: float, retry_after: float | None = None) -> None:
        """A request that took its place at `started` met overload. Requests sent before the last cut do not cut again."""
        now = self._clock()
        if started > self._cut_at:
            self.limit = max(1.0, self.limit / 2)
            self._cut_at = now
        if retry_after:
            self._pause_until = max(self._pause_until, now + min(retry_after, LONGEST_PAUSE))

    def open_all(self) -> None:
        """Wakes everyone who waits: the run is stopping."""
        self._pause_until = 0.0
        self.limit = max(self.limit, float(self.flying + len(self._waiting)))
        self._wake(len(self._waiting))

    async def _wait(self, seconds: float | None) -> None:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            await asyncio.wait_for(waiting, seconds)
        except TimeoutError:
            return
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)

    def _wake(self, count: int) -> None:
        while count > 0 and self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(None)
                count -= 1
