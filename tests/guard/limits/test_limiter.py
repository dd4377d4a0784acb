"""All limits together: all or nothing, settled once, money counted."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.guard.limits.expectation import MAX_PAIRS, Expectation
from hauberk.guard.limits.ledger import Ledger, period_left, period_name
from hauberk.guard.limits.limiter import Ask, Blocked, Cause, Lease, Limiter
from hauberk.guard.limits.meter import FOREVER
from hauberk.guard.limits.prices import PriceList
from hauberk.guard.limits.quota import Budget, Period, Quota, Unit
from hauberk.guard.limits.settings import LimitSettings, Price, Reserve
from hauberk.guard.limits.shed import Gradient

PRICES = (Price("small*", 1.0, 2.0, 0.5), Price("large", 10.0, 30.0))


def ask(quota: Quota, prompt: int = 100, output: int = 50, key: str = "k", model: str = "small") -> Ask:
    return Ask(key, "tenant", quota, model, prompt, output)


def taken(result: Lease | Blocked) -> Lease:
    assert isinstance(result, Lease)
    return result


def cause(result: Lease | Blocked) -> Cause:
    assert isinstance(result, Blocked)
    return result.cause


def test_all_limits_or_nothing() -> None:
    limiter = Limiter(LimitSettings())
    quota = Quota(requests=60, tokens=100, concurrency=5)
    assert cause(limiter.try_take(ask(quota), 0.0)) is Cause.TOKENS
    meters = limiter.meters("k", quota)
    assert meters.requests is not None
    assert meters.requests.left(0.0) == 10
    assert limiter.slots is not None
    assert limiter.slots.held == 0


def test_a_settlement_counts_once() -> None:
    limiter, quota = Limiter(LimitSettings()), Quota(tokens=1_000, concurrency=1)
    lease = taken(limiter.try_take(ask(quota), 0.0))
    assert cause(limiter.try_take(ask(quota), 0.0)) is Cause.CONCURRENCY
    assert limiter.settle(lease, 100, 20, 1.0)
    assert not limiter.settle(lease, 100, 900, 1.0)
    assert limiter.meters("k", quota).tokens.left(1.0) == 880  # type: ignore[union-attr]
    assert limiter.slots is not None
    assert limiter.slots.held == 0


def test_an_estimate_that_was_too_high_or_low_is_made_good() -> None:
    limiter, quota = Limiter(LimitSettings()), Quota(tokens=1_000)
    high = taken(limiter.try_take(ask(quota, prompt=500), 0.0))
    limiter.settle(high, 100, 50, 1.0)
    assert limiter.meters("k", quota).tokens.left(1.0) == 850  # type: ignore[union-attr]
    low = taken(limiter.try_take(ask(quota, prompt=100), 1.0))
    limiter.settle(low, 300, 50, 2.0)
    assert limiter.meters("k", quota).tokens.left(2.0) == 500  # type: ignore[union-attr]


def test_a_changed_quota_keeps_what_was_spent() -> None:
    limiter = Limiter(LimitSettings())
    taken(limiter.try_take(ask(Quota(tokens=150)), 0.0))
    assert cause(limiter.try_take(ask(Quota(tokens=200)), 0.0)) is Cause.TOKENS
    taken(limiter.try_take(ask(Quota(tokens=300)), 0.0))


def test_shared_limits_are_told_from_the_keys_own() -> None:
    limiter = Limiter(LimitSettings(concurrency=1, tokens=10_000))
    taken(limiter.try_take(ask(Quota(), key="a"), 0.0))
    blocked = limiter.try_take(ask(Quota(), key="b"), 0.0)
    assert isinstance(blocked, Blocked)
    assert (blocked.cause, blocked.own) == (Cause.SYSTEM, False)


def test_budgets_in_money_hold_what_is_under_way() -> None:
    limiter = Limiter(LimitSettings(prices=PRICES))
    quota = Quota(budgets=(Budget(0.001, Unit.MONEY, Period.DAY),))  # 1,000 millionths
    first = taken(limiter.try_take(ask(quota, 400, 100), 0.0))  # 600
    assert cause(limiter.try_take(ask(quota, 400, 100), 0.0)) is Cause.BUDGET
    limiter.settle(first, 400, 10, 1.0)  # 420
    taken(limiter.try_take(ask(quota, 180, 200), 1.0))  # 580
    assert cause(limiter.try_take(ask(quota, 1, 0), 1.0)) is Cause.BUDGET


def test_a_budget_in_money_without_prices_closes() -> None:
    blocked = Limiter(LimitSettings()).try_take(ask(Quota(budgets=(Budget(1.0, Unit.MONEY),))), 0.0)
    assert cause(blocked) is Cause.UNPRICED


def test_regression_a_model_without_a_price_is_not_free() -> None:
    prices = PriceList(PRICES)
    assert prices.cost("small-2", 1_000, 100) == 1_200
    assert prices.cost("small-2", 1_000, 100, cached=1_000) == 700
    assert prices.cost("unheard-of", 1_000, 100) == prices.cost("large", 1_000, 100) == 13_000
    assert prices.cost("large", 10, 0, cached=99) == 100


def test_budgets_in_tokens_outlive_the_process_and_end_with_the_day(tmp_path: Path) -> None:
    wall = [1_795_000_000.0]
    quota = Quota(budgets=(Budget(1_000, Unit.TOKENS, Period.DAY),))
    ledger = Ledger(tmp_path / "spent.db", lambda: wall[0])
    limiter = Limiter(LimitSettings(), ledger)
    limiter.settle(taken(limiter.try_take(ask(quota, 600, 100), 0.0)), 600, 100, 1.0)
    ledger.close()
    again = Limiter(LimitSettings(), Ledger(tmp_path / "spent.db", lambda: wall[0]))
    blocked = again.try_take(ask(quota, 600, 100), 0.0)
    assert cause(blocked) is Cause.BUDGET
    assert isinstance(blocked, Blocked)
    assert 0 < blocked.wait <= 86_400
    wall[0] += blocked.wait
    taken(again.try_take(ask(quota, 600, 100), 0.0))
    assert cause(again.try_take(ask(quota, 6_000, 100), 0.0)) is Cause.BUDGET
    again.ledger.close()


def test_two_processes_add_to_one_ledger(tmp_path: Path) -> None:
    wall = [1_795_000_000.0]
    one, two = (Ledger(tmp_path / "spent.db", lambda: wall[0]) for _ in range(2))
    one.add("a", 5)
    two.add("a", 7)
    wall[0] += 2
    one.add("a", 1)
    two.add("a", 1)
    assert two.spent("a") == 14
    one.close()
    two.close()


def test_a_ledger_that_cannot_be_written_keeps_counting_and_says_so(tmp_path: Path) -> None:
    wall = [1_795_000_000.0]
    ledger = Ledger(tmp_path / "spent.db", lambda: wall[0])
    with sqlite3.connect(tmp_path / "spent.db") as other:
        other.execute("DROP TABLE spent")
    other.close()
    wall[0] += 2
    ledger.add("a", 5)
    assert ledger.failed
    assert ledger.spent("a") == 5
    ledger.close()


@given(st.floats(0, 4e9), st.sampled_from(Period))
def test_a_period_ends_where_the_next_begins(wall: float, per: Period) -> None:
    left = period_left(per, wall)
    assert 0 < left <= 31 * 86_400
    assert period_name(per, wall + left + 0.01) != period_name(per, wall)
    assert period_name(per, wall + left * 0.99) == period_name(per, wall) or left < 1


def test_what_is_reserved_for_an_answer() -> None:
    expected = Expectation(LimitSettings())
    assert expected.reserve("k", "m", None) == 1_024
    assert expected.reserve("k", "m", 4_000) == 4_000  # nothing known: what it says
    for _ in range(10):
        expected.learn("k", "m", 100)
    assert expected.reserve("k", "m", 4_000) == 151
    assert expected.reserve("k", "m", 50) == 50
    assert expected.reserve("k", "m", -5) == 0
    assert expected.reserve("other", "m", 10**15) < 10**8
    assert Expectation(LimitSettings(reserve=Reserve.MAXIMUM)).reserve("k", "m", 4_000) == 4_000


def test_expectations_are_bounded() -> None:
    expected = Expectation(LimitSettings())
    for n in range(MAX_PAIRS + 10):
        expected.learn("k", str(n), 1)
    assert len(expected._means) == MAX_PAIRS


def test_shedding_follows_the_time_to_the_first_token_and_recovers() -> None:
    gradient = Gradient(100)
    for _ in range(200):
        gradient.first_token(500, 0.1, 90)
    assert gradient.limit == 100
    for _ in range(400):
        gradient.first_token(500, 2.0, 90)
    low = gradient.limit
    assert 4 <= low < 20
    for _ in range(1_000):
        gradient.first_token(500, 0.1, gradient.limit)
    assert gradient.limit > 3 * low


def test_regression_long_prompts_are_not_taken_for_overload() -> None:
    gradient = Gradient(100)
    for n in range(2_000):
        gradient.first_token(100 if n % 2 else 100_000, 0.1 if n % 2 else 8.0, 90)
    assert gradient.limit == 100
    assert gradient.first_token(1, float("nan"), 1) == gradient.first_token(1, -1.0, 1) == 100


def test_a_request_that_can_never_pass_is_told_so() -> None:
    blocked = Limiter(LimitSettings()).try_take(ask(Quota(tokens=10)), 0.0)
    assert isinstance(blocked, Blocked)
    assert blocked.wait == FOREVER


@pytest.mark.parametrize("concurrency", [None, 3])
def test_leases_give_back_exactly_what_they_took(concurrency: int | None) -> None:
    limiter, quota = Limiter(LimitSettings(concurrency=concurrency)), Quota(concurrency=2, tokens=10_000)
    for _ in range(50):
        leases = [taken(limiter.try_take(ask(quota, 10, 10), 0.0)) for _ in range(2)]
        for lease in leases:
            limiter.settle(lease, 0, 0, 0.0)
    assert limiter.meters("k", quota).tokens.left(0.0) == 10_000  # type: ignore[union-attr]
