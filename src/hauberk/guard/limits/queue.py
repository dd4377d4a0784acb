"""Fair waiting: deficit round robin over tenants (Shreedhar and Varghese, SIGCOMM 1995), counted in tokens.

A tenant's turn brings it `quantum x weight` tokens of credit, and its oldest request goes when the credit covers it: a tenant
that sends large requests gets the same share of tokens as one that sends small ones, and neither starves the other. Within a
tenant its keys take turns, and within a key requests go in order: a small one never passes a large one of the same key.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator

import msgspec

from hauberk.guard.limits.limiter import Ask, Blocked, Cause, Lease
from hauberk.guard.limits.meter import FOREVER
from hauberk.guard.limits.quota import PRIORITIES
from hauberk.guard.limits.settings import QueueSettings

_SOON = 1.0  # seconds, when nothing tells how long a turn takes

Take = Callable[[Ask, float], Lease | Blocked]


class Waiter(msgspec.Struct, eq=False):
    """A request that waits. `done` is called once, with its lease or with why it got none."""

    ask: Ask
    deadline: float
    done: Callable[[Lease | Blocked], None]
    waiting: bool = True
    seen: Blocked | None = None  # what stood in its way last


class _Line(msgspec.Struct, eq=False):
    """The waiting requests of one key."""

    waiters: deque[Waiter]
    parked: float = 0.0  # its own limits let nothing pass before this time


class _Flow(msgspec.Struct, eq=False):
    """The waiting requests of one tenant."""

    lines: OrderedDict[str, _Line]
    count: int = 0
    credit: float = 0.0
    weight: int = 1


class FairQueue:
    """Bounded. Knows no clock and no event loop: `pump` is told the time."""

    def __init__(self, settings: QueueSettings, take: Take) -> None:
        self._settings = settings
        self._take = take
        self._flows: OrderedDict[str, _Flow] = OrderedDict()
        self._soonest = FOREVER  # no deadline of a waiter is earlier
        self.size = 0
        self.jammed = False  # a limit that all share lets nothing pass: who comes now queues up behind

    def behind(self, ask: Ask) -> bool:
        """Whether a request like this must queue because others wait before it."""
        if self.jammed:
            return True
        flow = self._flows.get(_tenant(ask))
        return flow is not None and ask.key_id in flow.lines

    def ahead(self, ask: Ask, now: float) -> Blocked:
        """What a request that is `behind` waits for: a limit of its own key, its own share of the queue, or the whole."""
        flow = self._flows.get(_tenant(ask))
        line = flow.lines.get(ask.key_id) if flow is not None else None
        first = line.waiters[0].seen if line is not None else None
        if line is not None and first is not None and first.own:
            return Blocked(first.cause, max(line.parked - now, 0.0) or min(first.wait, _SOON))
        return Blocked(Cause.QUEUE, _SOON, own=not self.jammed or self._crowds(flow))

    def full(self, ask: Ask) -> Blocked:
        """Why there is no `room` for a request like this."""
        flow = self._flows.get(_tenant(ask))
        own = flow is not None and (flow.count >= self._settings.per_tenant or self._crowds(flow))
        return Blocked(Cause.QUEUE, _SOON, own=own)

    def room(self, ask: Ask) -> bool:
        """Whether one more may wait. The fuller the queue, the higher the priority must be (tiers as in Uber's Cinnamon)."""
        flow = self._flows.get(_tenant(ask))
        share = (ask.quota.priority + 1) / PRIORITIES
        return self.size < self._settings.size * (0.5 + share / 2) and (flow is None or flow.count < self._settings.per_tenant)

    def push(self, waiter: Waiter) -> None:
        """Queues a request. Ask `room` first."""
        ask = waiter.ask
        flow = self._flows.setdefault(_tenant(ask), _Flow(OrderedDict()))
        flow.weight = ask.quota.weight
        flow.lines.setdefault(ask.key_id, _Line(deque())).waiters.append(waiter)
        flow.count += 1
        self.size += 1
        self._soonest = min(self._soonest, waiter.deadline)

    def release(self, ask: Ask) -> None:
        """A request like this has ended: its key's limits may let the next one pass."""
        flow = self._flows.get(_tenant(ask))
        line = flow.lines.get(ask.key_id) if flow is not None else None
        if line is not None:
            line.parked = 0.0

    def unpark(self) -> None:
        """Limits have changed elsewhere: every key is asked again."""
        for flow in self._flows.values():
            for line in flow.lines.values():
                line.parked = 0.0

    def clear(self) -> None:
        """Turns away everybody."""
        for waiter in list(self._waiters()):
            self.leave(waiter, Blocked(Cause.QUEUE, _SOON, own=False))

    def leave(self, waiter: Waiter, why: Blocked | None = None) -> None:
        """Takes a request out: its client went away (`why` is None), or it waited too long."""
        if not waiter.waiting:
            return
        flow = self._flows[_tenant(waiter.ask)]
        flow.lines[waiter.ask.key_id].waiters.remove(waiter)
        self._gone(flow, waiter)
        if why is not None:
            waiter.done(why)

    def pump(self, now: float) -> None:
        """Lets pass all that may, in fair order, and turns away those whose time is over."""
        self._expire(now)
        self.jammed = False
        while (turn := self._next(now)) is not None:
            name, flow, line = turn
            waiter = line.waiters[0]
            result = self._take(waiter.ask, now)
            if isinstance(result, Lease):
                line.waiters.popleft()
                flow.credit -= waiter.ask.tokens
                flow.lines.move_to_end(waiter.ask.key_id)
                self._flows.move_to_end(name)
                self._gone(flow, waiter)
                waiter.done(result)
                continue
            waiter.seen = result
            if not result.own:
                self.jammed = True
                return
            line.parked = now + result.wait
            if line.parked > waiter.deadline:
                self.leave(waiter, result)

    def due(self) -> float | None:
        """When `pump` should be called even if nothing ends; None when nobody waits."""
        times = [
            min(line.waiters[0].deadline, line.parked) if line.parked else line.waiters[0].deadline
            for flow in self._flows.values()
            for line in flow.lines.values()
        ]
        return min(times, default=None)

    def _next(self, now: float) -> tuple[str, _Flow, _Line] | None:
        ready = list(self._ready(now))
        if not ready:
            return None
        quantum = self._settings.quantum

        def rounds(turn: tuple[str, _Flow, _Line]) -> int:
            _, flow, line = turn
            return max(0, -int((flow.credit - line.waiters[0].ask.tokens) // (quantum * flow.weight)))

        first = min(ready, key=rounds)
        passed = rounds(first)
        for _, flow, _ in ready:
            flow.credit += passed * quantum * flow.weight
        return first

    def _ready(self, now: float) -> Iterator[tuple[str, _Flow, _Line]]:
        for name, flow in self._flows.items():
            line = next((line for line in flow.lines.values() if line.parked <= now), None)
            if line is not None:
                yield name, flow, line

    def _expire(self, now: float) -> None:
        if now < self._soonest:
            return
        late = [waiter for waiter in self._waiters() if waiter.deadline <= now]
        # All are told before the first of them leaves: who stood behind its own key's request is told so.
        for waiter, why in [(waiter, self._why(waiter, now)) for waiter in late]:
            self.leave(waiter, why)
        self._soonest = min((waiter.deadline for waiter in self._waiters()), default=FOREVER)

    def _why(self, waiter: Waiter, now: float) -> Blocked:
        """Why a request's turn never came."""
        seen = waiter.seen
        return seen if seen is not None and seen.cause is not Cause.QUEUE else self.ahead(waiter.ask, now)

    def _crowds(self, flow: _Flow | None) -> bool:
        """Whether a tenant that is not alone has more waiting than its share of the queue: it stands in its own way."""
        if flow is None or len(self._flows) < 2:
            return False
        return flow.count * sum(other.weight for other in self._flows.values()) > self.size * flow.weight

    def _waiters(self) -> Iterator[Waiter]:
        for flow in self._flows.values():
            for line in flow.lines.values():
                yield from line.waiters

    def _gone(self, flow: _Flow, waiter: Waiter) -> None:
        waiter.waiting = False
        flow.count -= 1
        self.size -= 1
        if not flow.lines[waiter.ask.key_id].waiters:
            del flow.lines[waiter.ask.key_id]
        if not flow.lines:
            # Credit is not kept over idle times: it is a share of what is scarce now.
            self._flows.pop(_tenant(waiter.ask), None)


def _tenant(ask: Ask) -> str:
    return f"t:{ask.tenant}" if ask.tenant else f"k:{ask.key_id}"
