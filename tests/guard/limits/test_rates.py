"""Request rates, concurrency, sources."""

import math

from hypothesis import given
from hypothesis import strategies as st

from hauberk.guard.limits.gcra import Gcra
from hauberk.guard.limits.settings import LimitSettings
from hauberk.guard.limits.slots import Slots
from hauberk.guard.limits.sources import MAX_SOURCES, Sources, source_of


@given(
    limit=st.integers(1, 200),
    burst=st.one_of(st.none(), st.integers(1, 200)),
    gaps=st.lists(st.floats(0, 20), min_size=1, max_size=300),
)
def test_no_window_holds_more_than_the_limit(limit: int, burst: int | None, gaps: list[float]) -> None:
    rate, now, passed = Gcra(limit, burst), 500.0, []
    for gap in gaps:
        now += gap
        if rate.wait(1, now) == 0:
            rate.take(1, 0, now)
            passed.append(int(now * 1e9))
    for first in passed:
        assert sum(first <= at < first + 60_000_000_000 for at in passed) <= limit


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    rate = Gcra(60)
    passed = 0
    while rate.wait(1, 0.0) == 0:
        rate.take(1, 0, 0.0)
        passed += 1
    assert passed == rate.burst == 10
    wait = rate.wait(1, 0.0)
    assert 0 < wait < 2
    assert rate.wait(1, wait + 1e-6) == 0
    assert rate.left(0.0) == 0
    assert rate.reset(0.0) > 0
    assert rate.wait(11, 0.0) == math.inf


def test_a_new_limit_keeps_what_was_counted() -> None:
    rate = Gcra(1)
    rate.take(1, 0, 0.0)
    rate.retarget(1)
    assert rate.wait(1, 30.0) > 0


def test_slots() -> None:
    slots = Slots(2)
    slots.take(0, 1, 0.0)
    slots.take(0, 1, 0.0)
    assert slots.wait(1, 0.0) > 0
    assert slots.left(0.0) == 0
    slots.end(1, 0, 0.0)
    assert slots.wait(1, 0.0) == 0


def test_what_one_source_is() -> None:
    assert source_of("2001:db8:1:2::1") == source_of("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert source_of("::ffff:192.0.2.1") == source_of("192.0.2.1")
    assert source_of("192.0.2.2") != source_of("192.0.2.1")
    assert source_of("x" * 1_000) == "x" * 64


def test_bad_keys_close_a_source_for_a_while_and_no_other() -> None:
    sources = Sources(LimitSettings(source_failures=4))
    for _ in range(4):
        sources.failed("192.0.2.1", 100.0)
    assert sources.wait("192.0.2.1", 100.0) > 0
    assert sources.wait("192.0.2.2", 100.0) == 0
    assert sources.wait("192.0.2.1", 200.0) == 0


def test_requests_of_a_source_are_limited() -> None:
    sources = Sources(LimitSettings(source_requests=6))
    assert sources.wait("192.0.2.1", 0.0) == 0
    assert sources.wait("192.0.2.1", 0.0) > 0
    assert Sources(LimitSettings(source_requests=None)).wait("192.0.2.1", 0.0) == 0


def test_sources_are_bounded() -> None:
    sources = Sources(LimitSettings())
    for n in range(MAX_SOURCES + 50):
        sources.wait(f"s{n}", 0.0)
    assert len(sources._requests) == MAX_SOURCES
