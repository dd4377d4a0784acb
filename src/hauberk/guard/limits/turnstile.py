"""The limits with their queue, for an event loop."""

import asyncio
import time
from collections.abc import Callable

from hauberk.guard.limits.limiter import Ask, Blocked, Cause, Lease, Limiter
from hauberk.guard.limits.meter import FOREVER
from hauberk.guard.limits.queue import FairQueue, Waiter
from hauberk.guard.limits.shed import Gradient

_SOONEST = 0.001


class Turnstile:
    """Lets requests pass, wait in the fair queue, or be refused.

    Args:
        limiter: The limits.
        clock: Seconds, monotonic, the event loop's rate.
    """

    def __init__(self, limiter: Limiter, clock: Callable[[], float] = time.monotonic) -> None:
        self.limiter = limiter
        self.clock = clock
        settings = limiter.settings
        self.queue = FairQueue(settings.queue, limiter.try_take)
        self._wait = settings.queue.wait
        most = settings.concurrency
        self._gradient = Gradient(most) if settings.adaptive and most is not None else None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    async def admit(self, ask: Ask) -> Lease | Blocked:
        """A lease, at once or after waiting; or why not. A cancelled call leaves nothing taken."""
        now = self.clock()
        if not self.queue.behind(ask):
            result = self.limiter.try_take(ask, now)
            if isinstance(result, Lease):
                return result
            blocked = result
        elif ask.tokens > (ask.quota.tokens or FOREVER):
            return Blocked(Cause.TOKENS, FOREVER)  # who can never pass does not wait to be told
        else:
            blocked = self.queue.ahead(ask, now)
        if self._closed or blocked.wait > self._wait:
            return blocked
        if not self.queue.room(ask):
            return blocked if blocked.own else self.queue.full(ask)
        return await self._queued(ask, now, blocked)

    def settle(self, lease: Lease, prompt: int, output: int, cached: int = 0) -> bool:
        """Ends a lease with the tokens that were used and lets the next ones pass. False when it had ended before."""
        if not self.limiter.settle(lease, prompt, output, self.clock(), cached):
            return False
        if self.queue.size:
            self.queue.release(lease.ask)
            self.pump()
        return True

    def first_token(self, lease: Lease, seconds: float) -> None:
        """Takes the time to an answer's first token; under load fewer may be under way from now on."""
        slots = self.limiter.slots
        if self._gradient is not None and slots is not None:
            slots.limit = self._gradient.first_token(lease.ask.prompt, seconds, slots.held)

    def wake(self) -> None:
        """More may have become free, elsewhere than here."""
        if self.queue.size:
            self.queue.unpark()
            self.pump()

    def pump(self) -> None:
        """Lets pass what may, and sets the clock for the next look."""
        now = self.clock()
        self.queue.pump(now)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.queue.due()
        if due is not None:
            self._timer = asyncio.get_running_loop().call_later(max(due - now, _SOONEST), self.pump)

    def close(self) -> None:
        """Turns away all that wait; nothing waits from now on."""
        self._closed = True
        self.queue.clear()
        if self._timer is not None:
            self._timer.cancel()

    async def _queued(self, ask: Ask, now: float, blocked: Blocked) -> Lease | Blocked:
        answer: asyncio.Future[Lease | Blocked] = asyncio.get_running_loop().create_future()
        waiter = Waiter(ask, now + self._wait, answer.set_result, seen=blocked)
        self.queue.push(waiter)
        self.pump()
        try:
            return await asyncio.shield(answer)
        except asyncio.CancelledError:
            self.queue.leave(waiter)
            if answer.done() and isinstance(lease := answer.result(), Lease):
                self.settle(lease, 0, 0)  # it had just been given its turn
            raise
