"""Budgets shared by several processes through a real Redis."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from redis_server import RedisServer

from hauberk.guard.limits.ledger import Ledger
from hauberk.guard.limits.limiter import Ask, Blocked, Cause, Lease, Limiter
from hauberk.guard.limits.meter import FOREVER
from hauberk.guard.limits.quota import Budget, Period, Quota, Unit
from hauberk.guard.limits.settings import LimitSettings, OnLoss, Price, SharedSettings
from hauberk.guard.limits.shared import Replica

HAMMER = Path(__file__).with_name("budget_hammer.py")
AMOUNT, LEASE = 12_000, 0.4
NOON = 1_800_014_400.0  # 2027-01-15 at noon, UTC


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    it = RedisServer(tmp_path)
    it.start()
    yield it
    it.kill()


class House:
    """One replica with its limiter."""

    def __init__(self, url: str, *, ledger: Ledger | None = None, prices: tuple[Price, ...] = (), **more: object) -> None:
        self.wall = NOON
        self.replica = Replica(SharedSettings(url=url, lease=LEASE, replicas=2, interval=0.02, **more))  # type: ignore[arg-type]
        self.replica.start()
        self.limiter = Limiter(LimitSettings(prices=prices), ledger or Ledger(wall=lambda: self.wall), sharer=self.replica)

    def take(self, tokens: int, quota: Quota) -> Lease | Blocked:
        return self.limiter.try_take(Ask("k", "", quota, "m", tokens, 0), time.monotonic())

    def get(self, tokens: int, quota: Quota) -> Lease:
        found: list[Lease] = []

        def taken() -> bool:
            result = self.take(tokens, quota)
            found.extend([result] if isinstance(result, Lease) else [])
            return bool(found)

        _wait(taken)
        return found[0]

    def spend(self, tokens: int, quota: Quota, *, used: int | None = None) -> None:
        self.limiter.settle(self.get(tokens, quota), tokens if used is None else used, 0, time.monotonic())

    def refused(self, tokens: int, quota: Quota, *, least: float) -> Blocked:
        """What stands in the way once Redis has said so for good."""
        found: list[Blocked] = []

        def told() -> bool:
            result = self.take(tokens, quota)
            assert isinstance(result, Blocked)
            found.append(result)
            return result.wait >= least

        _wait(told)
        return found[-1]


@pytest.fixture
def house(server: RedisServer) -> Iterator[Callable[..., House]]:
    made: list[House] = []

    def new(**more: object) -> House:
        made.append(House(server.url, **more))  # type: ignore[arg-type]
        return made[-1]

    yield new
    for one in made:
        one.replica.stop()


def _wait(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def spent(outs: list[Path]) -> int:
    """The most that may have been spent by all replicas together."""
    total = 0
    for out in outs:
        held: dict[str, int] = {}
        for line in out.read_text("utf-8").splitlines(keepends=True):
            words = line.split()
            if words[0] == "took" and len(words) == 3:
                held[words[1]] = int(words[2])
            elif words[0] == "ended" and line.endswith("\n"):  # else killed while it wrote
                total += int(words[2])
                del held[words[1]]
        total += sum(held.values())  # killed: it may have used all it held
    return total


def test_three_processes_spend_a_budget_once_and_a_killed_one_takes_nothing_with_it(server: RedisServer, tmp_path: Path) -> None:
    arguments = [sys.executable, str(HAMMER), server.url, "20.0", str(AMOUNT), str(LEASE)]
    outs = [tmp_path / f"out{number}" for number in range(3)]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for out in outs:
            with out.open("wb") as file:
                processes.append(subprocess.Popen(arguments, stdout=file))
        _wait(lambda: all(out.stat().st_size > 0 for out in outs), 40)
        time.sleep(0.3)
        processes[0].kill()
        assert [process.wait(60) for process in processes[1:]] == [0, 0]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert AMOUNT * 0.7 < spent(outs) <= AMOUNT


def test_what_one_replica_spent_is_gone_for_the_others_until_the_day_ends(house: Callable[..., House]) -> None:
    one, two, quota = house(), house(), Quota(budgets=(Budget(1_000),))
    one.spend(900, quota)
    blocked = two.refused(200, quota, least=1_000)
    assert (blocked.cause, blocked.own) == (Cause.BUDGET, True)
    assert blocked.wait <= 12 * 3600
    two.spend(90, quota)
    one.wall = two.wall = NOON + 86_400
    two.spend(1_000, quota)
    one.refused(10, quota, least=1_000)


def test_what_was_held_and_not_used_comes_back(house: Callable[..., House]) -> None:
    """Limits of a minute keep what a prompt was estimated at; a budget of a month must not lose it."""
    one, two, quota = house(), house(), Quota(budgets=(Budget(1_000, per=Period.MONTH),))
    for _ in range(5):
        one.spend(900, quota, used=10)
    two.spend(940, quota)
    assert isinstance(one.take(1_001, quota), Blocked)
    result = one.take(1_001, quota)
    assert isinstance(result, Blocked)
    assert result.wait == FOREVER


def test_money_is_shared_in_millionths(house: Callable[..., House]) -> None:
    prices, quota = (Price("*", 2.0, 4.0),), Quota(budgets=(Budget(0.002, Unit.MONEY),))
    one, two = house(prices=prices), house(prices=prices)
    one.spend(800, quota)
    two.refused(300, quota, least=1_000)
    two.spend(200, quota)


def test_a_changed_budget_holds_at_once(house: Callable[..., House]) -> None:
    one = house()
    one.spend(900, Quota(budgets=(Budget(1_000),)))
    more = Quota(budgets=(Budget(2_000),))
    one.spend(900, more)
    one.refused(900, more, least=1_000)


def test_what_this_machine_remembers_holds_too_when_redis_forgot(house: Callable[..., House], tmp_path: Path) -> None:
    quota = Quota(budgets=(Budget(1_000),))
    ledger = Ledger(tmp_path / "spent", lambda: NOON)
    ledger.add("k/tokens/2027-01-15", 950)
    one = house(ledger=ledger)
    blocked = one.take(100, quota)
    assert isinstance(blocked, Blocked)
    assert blocked.wait > 1_000
    one.spend(40, quota)


def test_old_periods_are_forgotten(house: Callable[..., House]) -> None:
    one, quota = house(), Quota(budgets=(Budget(1_000), Budget(9_000, per=Period.MONTH)))
    for _ in range(5):
        one.spend(10, quota)
        one.wall += 86_400
    assert len(one.replica._meters) == 2


@pytest.mark.parametrize("policy", list(OnLoss))
def test_without_redis_the_policy_holds(tmp_path: Path, policy: OnLoss) -> None:
    one = House(f"unix://{tmp_path}/nobody.sock", on_loss=policy)
    _wait(lambda: one.replica.gap is not None)
    quota = Quota(budgets=(Budget(1_000),))
    assert isinstance(one.take(500, quota), Lease) == (policy is OnLoss.SHARE)
    assert isinstance(one.take(500, quota), Blocked)
    one.replica.stop()


def test_two_budgets_of_one_kind_are_refused() -> None:
    assert Quota(budgets=(Budget(1.0), Budget(2.0))).problems() == ["there may be one budget for each unit and period"]
    assert Quota(budgets=(Budget(1.0), Budget(2.0, per=Period.MONTH), Budget(1.0, Unit.MONEY))).problems() == []
