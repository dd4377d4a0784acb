"""Limits shared by several processes through a real Redis."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from redis_server import RedisServer

from hauberk.guard.limits.limiter import Ask, Cause, Lease, Limiter
from hauberk.guard.limits.meter import FOREVER
from hauberk.guard.limits.quota import Quota
from hauberk.guard.limits.settings import LimitSettings, OnLoss, SharedSettings
from hauberk.guard.limits.shared import Replica, SharedError, SharedMeter

HAMMER = Path(__file__).with_name("hammer.py")
LIMIT, WINDOW, LEASE = 1_500, 0.8, 0.4


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    it = RedisServer(tmp_path)
    it.start()
    yield it
    it.kill()


class Fleet:
    """Replicas in processes of their own."""

    def __init__(self, url: str, seconds: float, count: int = 3, on_loss: str = "closed") -> None:
        arguments = [url, str(seconds), str(LIMIT), str(WINDOW), str(LEASE), on_loss, str(count)]
        self.processes = [
            subprocess.Popen([sys.executable, str(HAMMER), *arguments], stdout=subprocess.PIPE, text=True) for _ in range(count)
        ]
        for process in self.processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"

    def finish(self) -> list[tuple[float, float, int]]:
        """Every use of tokens: from when, until when, how many."""
        uses: list[tuple[float, float, int]] = []
        for process in self.processes:
            out, _ = process.communicate(timeout=60)
            open_: dict[str, tuple[float, int]] = {}
            for line in out.splitlines():
                words = line.split()
                if words[0] == "took":
                    uses.append((float(words[1]), float(words[1]), int(words[2])))
                    open_[words[1]] = (float(words[1]), int(words[3]))
                elif len(words) == 4:
                    began, _ = open_.pop(words[0])
                    uses.append((began, float(words[3]), int(words[2])))
            uses += [(began, began, held) for began, held in open_.values()]  # killed: may have used all it held
        return uses


def worst_window(uses: list[tuple[float, float, int]]) -> int:
    """The most tokens that may have been used within one window, whenever in its life each answer was made."""
    most = 0
    for _, end, _ in uses:
        most = max(most, sum(n for first, last, n in uses if last > end - WINDOW and first <= end))
    return most


def test_three_processes_never_exceed_the_limit_of_one_key_and_a_killed_one_takes_nothing_with_it(server: RedisServer) -> None:
    fleet = Fleet(server.url, 3.6)
    time.sleep(1.4)
    fleet.processes[0].kill()
    killed = time.monotonic()
    uses = fleet.finish()
    assert worst_window(uses) <= LIMIT
    assert sum(n for _, _, n in uses) > LIMIT  # and it is used: more than one window's worth passed
    back = killed + LEASE + WINDOW
    assert sum(n for first, _, n in uses if back < first <= back + WINDOW) > LIMIT * 0.4


def test_redis_restarted_without_its_data_admits_nothing_twice(server: RedisServer) -> None:
    fleet = Fleet(server.url, 5.0)
    time.sleep(1.2)
    for down in (0.05, 0.7):  # shorter than a lease, and longer
        server.kill()
        time.sleep(down)
        server.start()
        back = time.monotonic()
    uses = fleet.finish()
    assert worst_window(uses) <= LIMIT
    assert any(first > back for first, _, _ in uses)


def test_redis_gone_for_good_leaves_each_replica_its_share(server: RedisServer) -> None:
    fleet = Fleet(server.url, 3.6, on_loss="share")
    time.sleep(0.8)
    server.kill()
    gone = time.monotonic()
    uses = [use for use in fleet.finish() if use[0] > gone + LEASE + WINDOW]
    assert uses
    assert worst_window(uses) <= LIMIT


def _wait(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _replica(url: str, **more: object) -> Replica:
    settings = SharedSettings(url=url, lease=LEASE, replicas=2, **more)  # type: ignore[arg-type]
    return Replica(settings, WINDOW)


def _get(meter: SharedMeter, amount: int) -> None:
    _wait(lambda: meter.wait(amount, time.monotonic()) == 0)
    meter.take(amount, 0, time.monotonic())


def test_slices_go_back_when_idle_and_at_shutdown(server: RedisServer) -> None:
    one, two = _replica(server.url), _replica(server.url)
    one.start()
    two.start()
    first, second = (replica.make("k", Cause.TOKENS, 1_000) for replica in (one, two))
    _get(first, 10)  # leases more than that
    _get(second, 900)  # what the first gave back while idle
    one.stop()
    two.stop()
    three = _replica(server.url)
    three.start()
    _get(three.make("k", Cause.TOKENS, 1_000), 90)
    three.stop()


def test_a_large_request_is_not_starved_by_small_ones_elsewhere(server: RedisServer) -> None:
    one, two = _replica(server.url), _replica(server.url)
    one.start()
    two.start()
    small, large = one.make("k", Cause.TOKENS, 1_000), two.make("k", Cause.TOKENS, 1_000)
    stop = threading.Event()

    def hammer() -> None:
        while not stop.is_set():
            if small.wait(20, time.monotonic()) == 0:
                small.take(20, 0, time.monotonic())
            time.sleep(0.002)

    thread = threading.Thread(target=hammer)
    thread.start()
    time.sleep(0.7)
    try:
        _get(large, 900)
    finally:
        stop.set()
        thread.join()
        one.stop()
        two.stop()


def test_concurrency_is_shared_and_a_dead_replicas_slots_come_back(server: RedisServer) -> None:
    one, two = _replica(server.url), _replica(server.url)
    one.start()
    two.start()
    first, second = (replica.make("k", Cause.CONCURRENCY, 1) for replica in (one, two))
    _wait(lambda: first.wait(1, time.monotonic()) == 0)
    first.take(0, 1, time.monotonic())
    for _ in range(30):
        assert second.wait(1, time.monotonic()) > 0
        time.sleep(0.02)
    first.end(1, 0, time.monotonic())
    _wait(lambda: second.wait(1, time.monotonic()) == 0)
    two.stop()
    one.stop()


def test_a_whole_limiter_runs_on_shared_meters(server: RedisServer) -> None:
    replica = _replica(server.url)
    replica.start()
    limiter = Limiter(LimitSettings(window=WINDOW), make=replica.make)
    ask = Ask("k", "", Quota(requests=100, tokens=1_000, concurrency=2), "m", 50, 50)
    found: list[Lease] = []

    def taken() -> bool:
        result = limiter.try_take(ask, time.monotonic())
        if isinstance(result, Lease):
            found.append(result)
        return bool(found)

    _wait(taken)
    assert limiter.settle(found[0], 50, 10, time.monotonic())
    replica.stop()


def test_regression_the_first_request_waited_for_a_lease_time_that_began_with_it(server: RedisServer) -> None:
    import redis

    replica = _replica(server.url)
    replica.start()
    client: Any = redis.Redis(unix_socket_path=str(server.path))
    _wait(lambda: client.hget("hauberk:epoch", "born") is not None)
    replica.stop()
    client.close()


def test_regression_clients_were_told_that_nothing_is_left_of_a_shared_limit(server: RedisServer) -> None:
    """What is leased here is a few tokens; what could be leased counts too."""
    replica = Replica(SharedSettings(url=server.url, lease=LEASE), window=600.0)
    meter = replica.make("key_1", Cause.TOKENS, 1_000)
    replica.start()
    assert meter.left(time.monotonic()) == 1_000
    _wait(lambda: meter.wait(100, time.monotonic()) == 0)
    meter.take(100, 0, time.monotonic())
    assert meter.left(time.monotonic()) == 900
    replica.stop()


def test_a_suspension_is_heard_by_the_others_and_by_those_who_come_later(server: RedisServer) -> None:
    heard: list[tuple[str, str, str, float]] = []
    one, two = _replica(server.url), _replica(server.url)
    two.closed = lambda *news: heard.append(news)
    two.start()
    one.start()
    one.publish("key_1", "revoked", "leaked", 1_700_000_000.5)
    _wait(lambda: bool(heard))
    assert heard[0] == ("key_1", "revoked", "leaked", 1_700_000_000.5)
    late = _replica(server.url)
    late.closed = lambda *news: heard.append(news)
    late.start()
    _wait(lambda: len(heard) > 1)
    for replica in (one, two, late):
        replica.stop()


@pytest.mark.parametrize("policy", list(OnLoss))
def test_no_redis_is_said_and_held_by_policy(tmp_path: Path, policy: OnLoss) -> None:
    replica = _replica(f"unix://{tmp_path}/nobody.sock", on_loss=policy)
    meter = replica.make("k", Cause.TOKENS, 1_000)
    assert not replica.sync()
    assert replica.gap is not None
    assert policy.value in replica.gap.note
    now = time.monotonic()
    assert (meter.wait(500, now) == 0) == (policy is OnLoss.SHARE)
    if policy is OnLoss.SHARE:
        meter.take(500, 0, now)
        assert meter.wait(1, now) > 0
        assert meter.wait(501, now) == FOREVER


def test_the_password_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = RedisServer(tmp_path, password="open sesame/@:%")
    server.start()
    try:
        assert not _replica(server.url).sync(), "without it nobody comes in"
        monkeypatch.setenv("REDIS_PASSWORD", server.password)
        replica = Replica(SharedSettings(url=server.url, password_env="REDIS_PASSWORD"))
        assert replica.sync(), replica.gap
    finally:
        server.kill()


def test_a_variable_that_is_not_set_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_PASSWORD", raising=False)
    with pytest.raises(SharedError, match=r"password-env: \$REDIS_PASSWORD is not set"):
        Replica(SharedSettings(url="redis://127.0.0.1", password_env="REDIS_PASSWORD"))
