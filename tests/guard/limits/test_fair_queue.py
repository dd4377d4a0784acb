"""Fair waiting."""

import asyncio
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from hauberk.guard.limits.limiter import Ask, Blocked, Cause, Lease, Limiter
from hauberk.guard.limits.queue import FairQueue, Waiter
from hauberk.guard.limits.quota import Quota
from hauberk.guard.limits.settings import LimitSettings, QueueSettings
from hauberk.guard.limits.turnstile import Turnstile


def ask(tenant: str, tokens: int, priority: int = 1, key: str = "", quota: Quota | None = None) -> Ask:
    return Ask(key or tenant, tenant, quota or Quota(priority=priority), "m", tokens, 0)


class OneByOne:
    """A gateway that lets one request pass for each call of `step`."""

    def __init__(self) -> None:
        self.room = 0
        self.order: list[Ask] = []
        self.queue = FairQueue(QueueSettings(), self.take)

    def take(self, asked: Ask, now: float) -> Lease | Blocked:
        if not self.room:
            return Blocked(Cause.SYSTEM, 1.0, own=False)
        self.room -= 1
        self.order.append(asked)
        return Lease(asked, now, [])

    def wait(self, asked: Ask, deadline: float = 1e9) -> list[Lease | Blocked]:
        got: list[Lease | Blocked] = []
        self.queue.push(Waiter(asked, deadline, got.append))
        return got

    def step(self, now: float = 0.0) -> None:
        self.room = 1
        self.queue.pump(now)


def served(gateway: OneByOne, steps: int) -> Counter[str]:
    tokens: Counter[str] = Counter()
    for _ in range(steps):
        gateway.step()
    for asked in gateway.order:
        tokens[asked.tenant] += asked.tokens
    return tokens


def test_tenants_get_the_same_tokens_whatever_the_size_of_their_requests() -> None:
    gateway = OneByOne()
    for _ in range(20):
        gateway.wait(ask("large", 40_000))
    for _ in range(800):
        gateway.wait(ask("small", 1_000))
    tokens = served(gateway, 410)
    assert abs(tokens["large"] - tokens["small"]) <= 45_000


def test_priority_is_a_share_not_a_right_of_way() -> None:
    gateway = OneByOne()
    for _ in range(200):
        gateway.wait(ask("high", 4_096, priority=3))
        gateway.wait(ask("low", 4_096, priority=0))
    tokens = served(gateway, 180)
    assert tokens["low"] > 0
    assert 6 <= tokens["high"] / tokens["low"] <= 10


def test_requests_of_one_key_go_in_order() -> None:
    gateway = OneByOne()
    sizes = [50_000, 10, 20, 30_000, 5]
    for size in sizes:
        gateway.wait(ask("t", size))
    for _ in sizes:
        gateway.step()
    assert [asked.tokens for asked in gateway.order] == sizes


def test_a_key_at_its_own_limit_holds_up_nobody_else() -> None:
    limiter = Limiter(LimitSettings())
    queue = FairQueue(QueueSettings(), limiter.try_take)
    full = Quota(tokens=100)
    got: dict[str, list[Lease | Blocked]] = {"blocked": [], "same tenant": [], "other": []}
    limiter.try_take(ask("t", 100, key="a", quota=full), 0.0)
    queue.push(Waiter(ask("t", 100, key="a", quota=full), 90.0, got["blocked"].append))
    queue.push(Waiter(ask("t", 100, key="b"), 90.0, got["same tenant"].append))
    queue.push(Waiter(ask("u", 100), 90.0, got["other"].append))
    queue.pump(0.0)
    assert [len(got[name]) for name in got] == [0, 1, 1]
    assert not queue.jammed
    due = queue.due()
    assert due is not None
    queue.pump(due)
    assert isinstance(got["blocked"][0], Lease)
    assert queue.size == 0
    assert queue.due() is None


def test_regression_a_large_request_is_not_starved_by_small_ones_of_its_key() -> None:
    """Counting afterwards, or retrying without a queue, lets small requests eat the room that a large one waits for."""
    limiter, quota = Limiter(LimitSettings()), Quota(tokens=1_000)
    queue = FairQueue(QueueSettings(), limiter.try_take)
    limiter.try_take(ask("t", 300, quota=quota), 0.0)
    large: list[Lease | Blocked] = []
    queue.push(Waiter(ask("t", 900, quota=quota), 100.0, large.append))
    for second in range(1, 70):
        assert queue.behind(ask("t", 10, quota=quota)) or large
        if not large:
            queue.push(Waiter(ask("t", 10, quota=quota), 100.0 + second, lambda _result: None))
        queue.pump(float(second))
    assert isinstance(large[0], Lease)


def test_waiters_are_turned_away_at_their_deadline_with_what_stood_in_the_way() -> None:
    gateway = OneByOne()
    got = gateway.wait(ask("t", 1), deadline=5.0)
    gateway.queue.pump(1.0)
    assert not got
    assert gateway.queue.jammed
    gateway.queue.pump(5.0)
    assert got == [Blocked(Cause.SYSTEM, 1.0, own=False)]
    assert gateway.queue.size == 0


def test_the_queue_is_bounded_and_low_priorities_are_shed_first() -> None:
    gateway = OneByOne()
    gateway.queue = FairQueue(QueueSettings(size=8, per_tenant=3), gateway.take)
    for n in range(5):
        assert gateway.queue.room(ask(f"t{n}", 1, priority=0))
        gateway.wait(ask(f"t{n}", 1))
    assert not gateway.queue.room(ask("x", 1, priority=0))
    assert gateway.queue.room(ask("x", 1, priority=3))
    for _ in range(3):
        gateway.wait(ask("greedy", 1, priority=3))
    assert not gateway.queue.room(ask("greedy", 1, priority=3))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 200_000), st.integers(0, 3)), max_size=40))
def test_everybody_is_served_once(requests: list[tuple[str, int, int]]) -> None:
    gateway = OneByOne()
    got = [gateway.wait(ask(tenant, tokens, priority)) for tenant, tokens, priority in requests]
    for _ in requests:
        gateway.step()
    assert all(len(results) == 1 for results in got)
    assert gateway.queue.size == 0
    assert not gateway.queue._flows


def test_requests_wait_for_a_slot_and_pass_when_it_is_free() -> None:
    async def run() -> None:
        turnstile = Turnstile(Limiter(LimitSettings(concurrency=1)))
        first = await turnstile.admit(ask("a", 10))
        assert isinstance(first, Lease)
        second = asyncio.create_task(turnstile.admit(ask("b", 10)))
        await asyncio.sleep(0)
        assert not second.done()
        assert turnstile.settle(first, 10, 0)
        assert not turnstile.settle(first, 10, 0)
        assert isinstance(await asyncio.wait_for(second, 5), Lease)
        turnstile.close()

    asyncio.run(run())


def test_a_client_that_goes_away_leaves_nothing_taken() -> None:
    async def run() -> None:
        limiter = Limiter(LimitSettings(concurrency=1))
        turnstile = Turnstile(limiter)
        first = await turnstile.admit(ask("a", 10))
        assert isinstance(first, Lease)
        gone = asyncio.create_task(turnstile.admit(ask("b", 10)))
        lucky = asyncio.create_task(turnstile.admit(ask("c", 10)))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        turnstile.settle(first, 10, 0)
        lucky.cancel()  # in the same tick that gave it its turn
        await asyncio.gather(gone, lucky, return_exceptions=True)
        assert limiter.slots is not None
        assert limiter.slots.held == 0
        assert turnstile.queue.size == 0

    asyncio.run(run())


def test_who_would_wait_too_long_is_told_at_once_and_closing_turns_all_away() -> None:
    async def run() -> None:
        turnstile = Turnstile(Limiter(LimitSettings(concurrency=1, queue=QueueSettings(wait=5.0))))
        quota = Quota(tokens=100)
        assert isinstance(await turnstile.admit(ask("a", 100, quota=quota)), Lease)
        blocked = await turnstile.admit(ask("a", 100, quota=quota))
        assert isinstance(blocked, Blocked)
        assert blocked.cause is Cause.TOKENS
        assert blocked.wait > 50
        waiting = asyncio.create_task(turnstile.admit(ask("b", 1)))
        await asyncio.sleep(0)
        turnstile.close()
        assert isinstance(await waiting, Blocked)
        assert isinstance(await turnstile.admit(ask("b", 1)), Blocked)

    asyncio.run(run())


def test_a_deadline_passes_without_anybody_leaving() -> None:
    async def run() -> None:
        turnstile = Turnstile(Limiter(LimitSettings(concurrency=1, queue=QueueSettings(wait=1.05))))
        await turnstile.admit(ask("a", 1))
        blocked = await asyncio.wait_for(turnstile.admit(ask("b", 1)), 10)
        assert isinstance(blocked, Blocked)
        assert not blocked.own

    asyncio.run(run())


def test_regression_who_stands_behind_its_own_queue_is_told_so_and_not_that_the_service_is_overloaded() -> None:
    """A key with two slots and many requests got 503 for those whose turn never came: clients then blame the service."""

    async def run() -> list[Lease | Blocked]:
        turnstile = Turnstile(Limiter(LimitSettings(queue=QueueSettings(wait=0.2, per_tenant=4))))
        quota = Quota(concurrency=2)
        made = [asyncio.create_task(turnstile.admit(ask("a", 1, quota=quota))) for _ in range(9)]
        other = await asyncio.wait_for(turnstile.admit(ask("b", 1)), 5)
        assert isinstance(other, Lease), "nobody else is held up"
        return await asyncio.wait_for(asyncio.gather(*made), 10)

    results = asyncio.run(run())
    blocked = [result for result in results if isinstance(result, Blocked)]
    assert len(blocked) == 7
    assert all(one.own and 0 < one.wait < 60 for one in blocked)
    assert {one.cause for one in blocked} <= {Cause.CONCURRENCY, Cause.QUEUE}


def test_overload_of_the_whole_is_not_called_the_keys_own() -> None:
    async def run() -> list[Lease | Blocked]:
        turnstile = Turnstile(Limiter(LimitSettings(concurrency=1, queue=QueueSettings(wait=0.2, size=8))))
        assert isinstance(await turnstile.admit(ask("a", 1)), Lease)
        made = [asyncio.create_task(turnstile.admit(ask(f"t{number}", 1))) for number in range(12)]
        return await asyncio.wait_for(asyncio.gather(*made), 10)

    assert all(isinstance(result, Blocked) and not result.own for result in asyncio.run(run()))


def test_a_tenant_that_fills_the_queue_stands_in_its_own_way() -> None:
    gateway = OneByOne()
    gateway.queue = FairQueue(QueueSettings(size=8), gateway.take)
    few = gateway.wait(ask("few", 1), deadline=5.0)
    many = [gateway.wait(ask("many", 1), deadline=5.0) for _ in range(5)]
    gateway.queue.pump(1.0)
    assert not gateway.queue.room(ask("many", 1, priority=0))
    assert gateway.queue.full(ask("many", 1)).own
    assert not gateway.queue.full(ask("few", 1)).own
    gateway.queue.pump(5.0)
    assert [blocked.own for blocked in few if isinstance(blocked, Blocked)] == [False]
    assert sum(blocked.own for (blocked,) in many if isinstance(blocked, Blocked)) >= 4
