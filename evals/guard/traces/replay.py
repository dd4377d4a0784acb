"""A gateway in simulated time: requests arrive, are let through by the real limiter, answer, and are settled."""

import heapq
import itertools
from collections.abc import Callable, Sequence

import msgspec

from hauberk.guard.limits.expectation import Expectation
from hauberk.guard.limits.limiter import Ask, Blocked, Lease, Limiter
from hauberk.guard.limits.queue import FairQueue, Waiter
from hauberk.guard.limits.quota import Quota
from hauberk.guard.limits.settings import LimitSettings, QueueSettings

FIRST_TOKEN = 0.5  # seconds, and PER_TOKEN for each of the answer: assumptions, as in RESEARCH's own simulation
PER_TOKEN = 0.03
WINDOW = 60.0


class Request(msgspec.Struct, frozen=True):
    """A request of a trace: when it came, its tokens, and what it said it would take at most."""

    at: float  # seconds
    prompt: int
    output: int
    max_tokens: int | None = None

    @property
    def tokens(self) -> int:
        return self.prompt + self.output

    @property
    def seconds(self) -> float:
        return FIRST_TOKEN + PER_TOKEN * self.output


class Served(msgspec.Struct, frozen=True):
    """A request that was let in."""

    request: Request
    began: float
    ended: float


def post_hoc(requests: Sequence[Request], limit: int) -> list[Served]:
    """Counts usage when it is known, as LiteLLM and others do: lets in while the answers that ended are below the limit."""
    served: list[Served] = []
    ending: list[tuple[float, int]] = []
    counted: list[tuple[float, int]] = []
    for request in requests:
        while ending and ending[0][0] <= request.at:
            counted.append(heapq.heappop(ending))
        counted = [(at, tokens) for at, tokens in counted if at > request.at - WINDOW]
        if sum(tokens for _, tokens in counted) < limit:
            end = request.at + request.seconds
            served.append(Served(request, request.at, end))
            heapq.heappush(ending, (end, request.tokens))
    return served


def reserved(requests: Sequence[Request], limit: int, settings: LimitSettings) -> list[Served]:
    """The real limiter, expectation and queue of the guard, one key."""
    limiter, expected = Limiter(settings), Expectation(settings)
    queue = FairQueue(settings.queue, limiter.try_take)
    quota, served, order = Quota(tokens=limit), [], itertools.count()
    events: list[tuple[float, int, Callable[[float], None]]] = []

    def at(time: float, act: Callable[[float], None]) -> None:
        heapq.heappush(events, (time, next(order), act))

    def begin(request: Request, lease: Lease, now: float) -> None:
        end = now + request.seconds
        served.append(Served(request, now, end))

        def finish(then: float) -> None:
            limiter.settle(lease, request.prompt, request.output, then)
            expected.learn("k", "m", request.output)
            queue.release(lease.ask)
            pump(then)

        at(end, finish)

    def pump(now: float) -> None:
        clock[0] = now
        queue.pump(now)
        due = queue.due()
        if due is not None:
            at(max(due, now + 0.001), look)

    def look(now: float) -> None:
        due = queue.due()
        if due is not None and due <= now:  # else a later pump has set a later look
            pump(now)

    clock = [0.0]

    def arrive(request: Request) -> Callable[[float], None]:
        def act(now: float) -> None:
            output = expected.reserve("k", "m", request.max_tokens)
            ask = Ask("k", "", quota, "m", request.prompt, min(output, max(limit - request.prompt, 0)))
            wait = settings.queue.wait
            if not queue.behind(ask):
                result = limiter.try_take(ask, now)
                if isinstance(result, Lease):
                    begin(request, result, now)
                    return
                if result.wait > wait:
                    return
            if wait and ask.tokens <= limit and queue.room(ask):
                queue.push(Waiter(ask, now + wait, lambda got: None if isinstance(got, Blocked) else begin(request, got, clock[0])))
                pump(now)

        return act

    for request in requests:
        at(request.at, arrive(request))
    while events:
        now, _, act = heapq.heappop(events)
        act(now)
    return served


def queueing(wait: float) -> LimitSettings:
    """Limits with a queue that holds requests for up to `wait` seconds."""
    return LimitSettings(concurrency=None, queue=QueueSettings(size=100_000, per_tenant=100_000, wait=wait))
