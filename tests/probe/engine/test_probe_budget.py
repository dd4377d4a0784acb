"""The budget is hard, and the pace follows what the target can take."""

import asyncio
import time
from pathlib import Path
from random import Random

import msgspec
import pytest
from engine_fakes import Scripted, Turns, again, harms, plan_of, played, settings
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from hauberk.probe.engine import results
from hauberk.probe.engine.budget import Budget, Spent
from hauberk.probe.engine.errors import Stop
from hauberk.probe.engine.estimate import estimate
from hauberk.probe.engine.pace import Pace
from hauberk.probe.engine.reading import state
from hauberk.probe.engine.settings import Limits, Prices
from hauberk.probe.outcome import Outcome
from hauberk.probe.targets.target import Abilities, Fault, Reply, Request, TargetError, Usage


def test_no_request_beyond_the_budget_is_sent(tmp_path: Path) -> None:
    target = Scripted()
    folder, ending, _ = played(tmp_path, harms(20), [Turns(3)], target, settings(limits=Limits(requests=25)))
    assert len(target.asked) == 25
    assert ending.why == "budget: 25 requests"
    ends = list(results(folder.path))
    assert len(ends) == 20
    assert {one.note for one in ends if one.outcome is Outcome.NOT_RUN} == {"budget: 25 requests"}
    assert not [one for one in ends if one.outcome is Outcome.ERROR]


def test_a_budget_counts_over_all_sittings(tmp_path: Path) -> None:
    target, made = Scripted(), settings(limits=Limits(requests=10))
    folder, _, _ = played(tmp_path, harms(20), [Turns()], target, made)
    plan = plan_of(harms(20), [Turns()], made)
    again(folder, plan, target, made)
    assert len(target.asked) == 10
    more = settings(limits=Limits(requests=15))
    again(folder, plan, target, more)
    assert len(target.asked) == 15
    again(folder, plan, target, settings())
    assert len(target.asked) == len(set(target.texts())) == 20


@given_settings(max_examples=25, deadline=None)
@given(st.integers(0, 30_000), st.integers(1, 12), st.integers(0, 2**31))
def test_tokens_and_money_never_exceed_the_budget(bound: int, concurrency: int, seed: int) -> None:
    rng, prices = Random(seed), Prices(prompt=2.0, completion=8.0)
    for limits in (Limits(tokens=bound), Limits(cost=bound * 4e-6)):
        spent = asyncio.run(_spend(Budget(limits), concurrency, rng, prices))
        if limits.tokens is not None:
            assert spent.tokens <= limits.tokens
        else:
            assert spent.cost <= (limits.cost or 0) * (1 + 1e-6)


async def _spend(budget: Budget, workers: int, rng: Random, prices: Prices) -> Spent:
    async def work() -> None:
        for _ in range(30):
            prompt, answer = rng.randrange(1, 400), rng.randrange(1, 600)
            try:
                held = await budget.reserve(prompt, answer, prices)
            except Stop:
                return
            await asyncio.sleep(0)
            usage = Usage(rng.randrange(prompt + 1), rng.randrange(answer + 1)) if rng.random() < 0.8 else None
            budget.settle(held, usage)

    await asyncio.wait_for(asyncio.gather(*(work() for _ in range(workers))), 20)
    return budget.spent


def test_reserves_of_others_are_waited_for_and_not_counted_as_spent() -> None:
    async def play() -> None:
        budget = Budget(Limits(tokens=100))
        first = await budget.reserve(10, 80, Prices())
        second = asyncio.create_task(budget.reserve(10, 80, Prices()))
        await asyncio.sleep(0)
        assert not second.done()
        budget.settle(first, Usage(5, 5))
        await second
        with pytest.raises(Stop, match="100 tokens"):
            await budget.reserve(10, 200, Prices())

    asyncio.run(play())


def test_time_is_a_budget(tmp_path: Path) -> None:
    target = Scripted(delay=0.02)
    folder, ending, _ = played(tmp_path, harms(400), [Turns()], target, settings(limits=Limits(seconds=0.3)))
    assert ending.why.startswith("budget: ")
    assert 0 < len(target.asked) < 400
    assert len(list(results(folder.path))) == 400


def test_time_is_over_while_all_wait_for_what_retry_after_said(tmp_path: Path) -> None:
    target = Scripted(lambda _: TargetError(Fault.RATE_LIMIT, "429", retry_after=300.0))
    began = time.monotonic()
    folder, ending, _ = played(tmp_path, harms(6), [Turns()], target, settings(limits=Limits(seconds=0.3)))
    assert time.monotonic() - began < 60
    assert ending.why == "budget: 0.3 seconds are over"
    assert {one.outcome for one in results(folder.path)} == {Outcome.NOT_RUN}


def test_a_target_that_never_answers_in_time_is_down_before_every_case_has_had_its_tries(tmp_path: Path) -> None:
    target = Scripted(lambda _: TargetError(Fault.TIMEOUT, "no answer within 60 s"))
    _, ending, _ = played(tmp_path, harms(40), [Turns()], target, settings(concurrency=4, tries=4))
    assert ending.why.startswith("the target is down: ")
    assert len(target.asked) <= 8 + 4


def test_the_judging_model_has_prices_of_its_own() -> None:
    made = msgspec.structs.replace(settings(), judge_prices=Prices(1.0, 1.0))
    plan = plan_of(harms(10), [Turns()], made)
    alone, judged = estimate(plan, made), estimate(plan, made, judged=True)
    assert alone.most.opinions == alone.most.cost == 0
    assert judged.most.requests == alone.most.requests == 10
    assert judged.most.opinions == 20
    assert judged.most.cost > judged.usual.cost > 0


def test_an_agents_rounds_are_requests_too(tmp_path: Path) -> None:
    reply = Reply("no", usage=Usage(30, 15), requests=3)
    target = Scripted(lambda _: reply, abilities=Abilities(tools=True, rounds=4))
    made = settings(limits=Limits(requests=10), concurrency=2)
    folder, ending, seen = played(tmp_path, harms(10), [Turns()], target, made)
    # A third answer might have taken requests 7 to 10, a fourth would have gone over.
    assert len(target.asked) == 3
    assert seen[0].budget.spent.requests == state(folder.path, 10).sent == 9
    assert sum(one.requests for one in results(folder.path)) == 9
    assert ending.why == "budget: 10 requests"
    plan = plan_of(harms(10), [Turns()], made)
    assert estimate(plan, made, rounds=4).most.requests == 40


def test_retries_count(tmp_path: Path) -> None:
    target = Scripted(lambda _: TargetError(Fault.GARBAGE, "no JSON"))
    _, ending, seen = played(tmp_path, harms(10), [Turns()], target, settings(limits=Limits(requests=3), concurrency=1))
    assert len(target.asked) == seen[0].budget.spent.requests == 3
    assert ending.why == "budget: 3 requests"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_overload_halves_the_pace_once_for_all_that_was_on_its_way() -> None:
    async def play() -> None:
        clock = Clock()
        pace = Pace(16, clock)
        started = [await pace.enter() for _ in range(16)]
        clock.now = 1.0
        for one in started:
            pace.overloaded(one)
            pace.leave()
        assert pace.limit == 8
        clock.now = 2.0
        pace.overloaded(await pace.enter())
        assert pace.limit == 4
        for _ in range(4):
            pace.went_well()
        assert 4.8 < pace.limit < 5.1  # one more in about one round
        for _ in range(1000):
            pace.went_well()
        assert pace.limit == 16

    asyncio.run(play())


@given_settings(max_examples=30, deadline=None)
@given(st.lists(st.booleans(), max_size=200), st.integers(1, 40))
def test_the_pace_stays_between_one_and_its_bound(good: list[bool], most: int) -> None:
    clock = Clock()
    pace = Pace(most, clock)
    for each in good:
        clock.now += 1
        if each:
            pace.went_well()
        else:
            pace.overloaded(clock.now)
        assert 1 <= pace.limit <= most


def test_never_more_in_flight_than_allowed(tmp_path: Path) -> None:
    target = Scripted(delay=0.005)
    _, _, seen = played(tmp_path, harms(60), [Turns()], target, settings(concurrency=7))
    assert target.peak == seen[0].target.caller.pace.peak == 7


def test_an_overloaded_target_is_asked_slower_and_all_is_answered(tmp_path: Path) -> None:
    """Regression of what others do: 429s counted as results, or retried at full speed."""
    target = Scripted(delay=0.01)
    seen: list[int] = []

    def answer(request: Request) -> Reply | TargetError:
        del request
        seen.append(target.flying)
        return TargetError(Fault.RATE_LIMIT, "slow down", 0.01) if target.flying >= 4 else Reply("no")

    target._answer = answer
    folder, _, runners = played(tmp_path, harms(40), [Turns()], target, settings(concurrency=12, tries=8))
    assert [one.outcome for one in results(folder.path)] == [Outcome.REFUSED] * 40
    assert runners[0].target.caller.pace.limit < 12


def test_retry_after_is_honoured(tmp_path: Path) -> None:
    times: list[float] = []

    def answer(request: Request) -> Reply | TargetError:
        del request
        times.append(asyncio.get_running_loop().time())
        return TargetError(Fault.RATE_LIMIT, "slow down", 1.2) if len(times) == 1 else Reply("no")

    played(tmp_path, harms(1), [Turns()], Scripted(answer), settings())
    assert times[1] - times[0] >= 1.2
