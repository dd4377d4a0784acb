"""Anomaly rules: what fires, what must not, and that memory is bounded."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.guard.limits.anomaly import AnomalySettings, Monitor, Response, Signal
from hauberk.guard.limits.anomaly.baseline import MAX_MODELS, MAX_NETWORKS, LastHour, network_of
from hauberk.guard.limits.anomaly.extraction import WINDOW, Extraction, judge
from hauberk.guard.limits.anomaly.settings import DAY, HOUR
from hauberk.guard.limits.anomaly.texts import seen_of

START = 1_795_000_000.0


def settled(monitor: Monitor, key: str = "k", days: int = 5, tokens: int = 2_000) -> float:
    """A key with five days of steady work on two models from one network; when they end."""
    now = START
    for hour in range(days * 24):
        now = START + hour * HOUR
        for n in range(4):
            assert monitor.request(key, ("small", "large")[n % 2], "192.0.2.7", now) == []
            assert monitor.used(key, tokens, now) == []
    return now + HOUR


def signals(alarms: list[object]) -> set[Signal]:
    return {alarm.signal for alarm in alarms}  # type: ignore[attr-defined]


def test_regression_a_leaked_key_is_caught_within_a_minute() -> None:
    """claude-code#96048: one probe of a model the key never used; next day 12.8M tokens in an hour."""
    monitor = Monitor(AnomalySettings())
    now = settled(monitor)
    probe = monitor.request("k", "opus", "192.0.2.7", now)
    assert signals(probe) == {Signal.NEW_MODEL}
    assert probe[0].response is Response.ALERT
    now += DAY
    caught = None
    for second in range(int(HOUR)):
        found = [*monitor.request("k", "opus", "192.0.2.7", now + second), *monitor.used("k", 12_800_000 // 3_600, now + second)]
        if Signal.LEAKED_KEY in signals(found):
            caught = second
            break
    assert caught is not None
    assert caught < 60
    alarm = next(a for a in found if a.signal is Signal.LEAKED_KEY)
    assert alarm.response is Response.SUSPEND
    assert alarm.evidence["new_model"] == "opus"
    assert int(alarm.evidence["tokens_last_hour"]) > int(alarm.evidence["limit"])


def test_nothing_is_odd_while_a_key_is_learnt() -> None:
    monitor = Monitor(AnomalySettings())
    for n in range(40):
        assert monitor.request("k", f"m{n}", f"10.{n}.0.1", START + n) == []
        assert monitor.used("k", 10_000_000, START + n) == []
        assert monitor.failed("k", START + n) == []


def test_a_new_network_is_told_and_one_in_the_same_24_is_not() -> None:
    monitor = Monitor(AnomalySettings())
    now = settled(monitor)
    assert monitor.request("k", "small", "192.0.2.200", now) == []
    found = monitor.request("k", "small", "203.0.113.5", now)
    assert signals(found) == {Signal.NEW_NETWORK}
    assert found[0].evidence["network"] == "203.0.113.0/24"


def test_many_sources_suspend() -> None:
    monitor = Monitor(AnomalySettings())
    now = settled(monitor)
    found = [alarm for n in range(30) for alarm in monitor.request("k", "small", f"10.0.{n}.1", now + n)]
    assert Signal.MANY_SOURCES in signals(found)
    assert [a.response for a in found if a.signal is Signal.MANY_SOURCES] == [Response.SUSPEND]


def test_sudden_volume_alone_is_an_alert() -> None:
    monitor = Monitor(AnomalySettings())
    now = settled(monitor)
    found = [alarm for n in range(10) for alarm in monitor.used("k", 50_000, now + n)]
    assert signals(found) == {Signal.VOLUME}
    assert found[0].response is Response.ALERT
    assert len(found) == 1  # told once, then quiet for a while


def test_small_keys_may_grow_below_the_floor() -> None:
    monitor = Monitor(AnomalySettings())
    now = settled(monitor, tokens=10)
    assert monitor.used("k", 90_000, now) == []


def test_one_hour_does_not_teach_the_baseline() -> None:
    monitor = Monitor(AnomalySettings())
    now = settled(monitor)
    usual = monitor._keys["k"].usual
    monitor.used("k", 50_000_000, now)
    monitor.used("k", 1, now + HOUR)
    assert monitor._keys["k"].usual <= 1.2 * usual


def test_failures_registrations_and_enumeration() -> None:
    monitor = Monitor(AnomalySettings())
    now = settled(monitor)
    assert signals([a for n in range(60) for a in monitor.failed("k", now + n)]) == {Signal.FAILURES}
    created = [a for n in range(25) for a in monitor.created("root", "", now + n)]
    assert signals(created) == {Signal.REGISTRATIONS}
    assert created[0].key_id == ""
    probes = [a for n in range(6) for a in monitor.unknown_model("new key", f"m{n}", now)]
    assert [a.response for a in probes] == [Response.SUSPEND]
    assert not [a for n in range(9) for a in monitor.unknown_model("typo", "gpt-4 ", now + n)]
    slow = [a for n in range(9) for a in monitor.unknown_model("slow", f"m{n}", now + n * HOUR)]
    assert slow == []


def test_a_key_that_an_admin_resumed_is_left_in_peace_for_a_while() -> None:
    monitor = Monitor(AnomalySettings())
    now = settled(monitor)
    monitor.request("k", "opus", "192.0.2.7", now)
    assert signals(monitor.used("k", 5_000_000, now)) == {Signal.LEAKED_KEY, Signal.VOLUME}
    monitor.forgive("k", now)
    assert monitor.used("k", 5_000_000, now + 60) == []
    assert Signal.LEAKED_KEY not in signals(monitor.used("k", 5_000_000, now + 2 * DAY))


def test_responses_are_settings() -> None:
    monitor = Monitor(AnomalySettings(responses={Signal.NEW_MODEL: Response.OFF, Signal.VOLUME: Response.SUSPEND}))
    now = settled(monitor)
    assert monitor.request("k", "opus", "192.0.2.7", now) == []
    assert Response.SUSPEND in {a.response for a in monitor.used("k", 5_000_000, now) if a.signal is Signal.VOLUME}


def test_baselines_outlive_a_restart_and_damaged_ones_are_refused() -> None:
    one, two = Monitor(AnomalySettings()), Monitor(AnomalySettings())
    now = settled(one)
    two.restore(one.snapshot())
    assert signals(two.request("k", "opus", "192.0.2.7", now)) == {Signal.NEW_MODEL}
    with pytest.raises(msgspec.DecodeError):
        two.restore(b"\xc1")


def test_a_key_that_does_everything_stays_small() -> None:
    monitor = Monitor(AnomalySettings())
    for n in range(5_000):
        monitor.request("k", f"model-{n}", f"10.{n % 256}.{n // 256}.1", START + n)
        monitor.unknown_model("k", f"model-{n}", START + n)
    base = monitor._keys["k"]
    assert len(base.models) <= MAX_MODELS
    assert len(base.networks) <= MAX_NETWORKS
    assert len(base.unknown) <= MAX_MODELS


@given(st.lists(st.tuples(st.floats(0, 2_000), st.integers(0, 1_000)), max_size=60))
def test_the_last_hour_forgets_nothing_younger_than_55_minutes(events: list[tuple[float, int]]) -> None:
    hour, now, seen = LastHour(), START, []
    for gap, amount in events:
        now += gap
        hour.add(amount, now)
        seen.append((now, amount))
        young = sum(n for at, n in seen if now - at < HOUR - 300)
        assert young <= hour.total(now) <= sum(n for at, n in seen if now - at < HOUR + 300)


@pytest.mark.parametrize(
    ("address", "network"),
    [("192.0.2.7", "192.0.2.0/24"), ("::ffff:192.0.2.7", "192.0.2.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"), ("?", "?")],
)
def test_networks(address: str, network: str) -> None:
    assert network_of(address) == network


COLD = {"temperature": 0, "logprobs": True}
BEGINNINGS = ("har", "tid", "cra", "ves", "cap", "sal", "pap", "mor")
ENDINGS = ("bour", "ing", "te", "sel", "tain", "t", "er", "row")
NOUNS = [a + b for a in BEGINNINGS for b in ENDINGS]
BODIES = st.dictionaries(
    st.sampled_from(["temperature", "logprobs", "max_tokens"]), st.none() | st.integers() | st.text(max_size=2)
)
TALK = [
    "can you help me plan a week of dinners for two people who do not eat fish",
    "why does this loop never end?",
    "thanks! and what about the second part of the letter",
    "Rewrite this paragraph so that it sounds less formal, please. The undersigned hereby declares that the goods were received.",
    "请把下面这段话翻译成英文，语气要客气一点",
    "what time is it in Lisbon when it is noon in Tokyo",
    "ok",
    "my landlord wants to keep the deposit although the flat was clean, what can I do about it and whom should I write to first",
]


def test_a_template_sweep_and_a_dictionary_walk_are_seen() -> None:
    template = Extraction(0.6)
    found = [template.prompt("k", seen_of(f"Give a full definition of the noun {noun} in French.", COLD)) for noun in NOUNS]
    assert len(NOUNS) == WINDOW
    assert found[-1] is not None
    assert found[-1].novel > 0.95
    assert all(sweep is None for sweep in found[:-1])
    walk = Extraction(0.6)
    assert any(walk.prompt("k", seen_of(noun, {})) for noun in NOUNS)


def test_talk_and_repeated_questions_are_not() -> None:
    talk = Extraction(0.6)
    for n in range(4 * WINDOW):
        assert talk.prompt("k", seen_of(f"{TALK[n % 8]} {TALK[(n * 5 + n // 8) % 8]}" if n % 3 else TALK[n % 8], {})) is None
    health = Extraction(0.6)
    for _ in range(4 * WINDOW):
        assert health.prompt("k", seen_of("Are you there? Answer with the single word yes, please.", COLD)) is None


@given(st.lists(st.text(max_size=60), min_size=WINDOW, max_size=WINDOW), BODIES)
def test_any_text_is_judged_without_a_traceback(texts: list[str], body: dict[str, object]) -> None:
    sweep = judge([seen_of(text, body) for text in texts])
    assert 0 <= sweep.score <= 1.01
    assert all(isinstance(value, float) for value in sweep.evidence().values())
