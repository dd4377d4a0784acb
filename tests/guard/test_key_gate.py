"""The gate: who comes in, what is said to who does not, and that every grant ends once."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.assets.chat import Role, ToolSpec
from hauberk.guard.dialects.dialect import Refusal
from hauberk.guard.exchange import Exchange, Operation, Piece, Usage
from hauberk.guard.gate import BY_ANOMALY, GateSettings, KeyGate, OnStale, duration
from hauberk.guard.gateway.hooks import Caller, Gate, Grant
from hauberk.guard.keys import AdminEvent, KeyAdmin, KeyRing, SqliteKeyStore, Status, Terms
from hauberk.guard.limits.anomaly import Alarm
from hauberk.guard.limits.limiter import Limiter
from hauberk.guard.limits.quota import Quota
from hauberk.guard.limits.settings import LimitSettings, QueueSettings
from hauberk.guard.limits.turnstile import Turnstile


class Clock:
    def __init__(self) -> None:
        self.at = 1_000_000.0

    def __call__(self) -> float:
        return self.at


class House:
    def __init__(self, path: Path, settings: GateSettings | None = None) -> None:
        self.clock = Clock()
        self.alarms: list[Alarm] = []
        settings = settings or GateSettings(limits=LimitSettings(queue=QueueSettings(wait=0.0)))
        ring = KeyRing(SqliteKeyStore(path / "keys.db"), clock=self.clock)
        self.admin = KeyAdmin(ring, self.heard, self.clock)
        turnstile = Turnstile(Limiter(settings.limits), self.clock)
        self.told: list[tuple[str, str, str, float]] = []
        self.gate = KeyGate(
            settings,
            ring,
            turnstile,
            admin=self.admin,
            alarm=self.alarms.append,
            publish=lambda *news: self.told.append(news),
            wall=self.clock,
        )

    def heard(self, event: AdminEvent) -> None:
        self.gate.heard(event)

    def admit(self, token: str, exchange: Exchange | None = None, **caller: str) -> Grant | Refusal:
        return asyncio.run(self.gate.admit(sender(token, **caller), exchange or chat()))


def sender(token: str, address: str = "192.0.2.1", route: str = "/v1/chat/completions") -> Caller:
    return Caller(token, address, route, "req_1")


def chat(model: str = "small", text: str = "hello", **more: object) -> Exchange:
    pieces = (Piece(text, Role.USER, ("messages", 0, "content")),)
    return Exchange(Operation.CHAT, model, {}, pieces, **more)  # type: ignore[arg-type]


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., House]:
    return lambda settings=None: House(tmp_path, settings)


def test_a_good_key_comes_in_and_is_told_its_limits(make: Callable[..., House]) -> None:
    house = make()
    view, token = house.admin.create(Terms(name="app", tenant="acme", quota=Quota(requests=60, tokens=10_000)), "root")
    grant = house.admit(token, chat(max_tokens=100))
    assert isinstance(grant, Grant)
    assert (grant.key_id, grant.key_name, grant.tenant) == (view.id, "app", "acme")
    headers = dict(grant.headers)
    assert headers["x-ratelimit-limit-requests"] == "60"
    assert headers["x-ratelimit-limit-tokens"] == "10000"
    assert int(headers["x-ratelimit-remaining-tokens"]) == 10_000 - grant.reserved
    assert headers["x-ratelimit-remaining-requests"] == "9"
    assert headers["x-ratelimit-reset-requests"].endswith("s")
    gate: Gate = house.gate
    assert gate.allows_model(grant, "anything")


def test_unknown_revoked_expired_suspended_and_misplaced_keys_look_the_same(make: Callable[..., House]) -> None:
    house = make()
    tokens = []
    for terms in (
        Terms(name="revoked"),
        Terms(name="suspended"),
        Terms(name="expired", expires=house.clock() - 1),
        Terms(name="elsewhere", networks=("10.0.0.0/8",)),
    ):
        view, token = house.admin.create(terms, "root")
        tokens.append(token)
        if terms.name == "revoked":
            house.admin.revoke(view.id, "root", "x")
        if terms.name == "suspended":
            house.admin.suspend(view.id, "root", "x")
    answers = [house.admit(token) for token in (*tokens, "", "sk-other", tokens[0][:-1])]
    assert all(answer == answers[0] for answer in answers)
    assert isinstance(answers[0], Refusal)
    assert (answers[0].status, answers[0].code) == (401, "invalid_api_key")
    assert house.gate.identify(sender(tokens[0])) == answers[0]


def test_a_model_that_is_not_the_keys_looks_like_one_that_is_not_there(make: Callable[..., House]) -> None:
    house = make()
    _, token = house.admin.create(Terms(name="app", models=("small",)), "root")
    refusal = house.admit(token, chat("large"))
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.code, refusal.param) == (404, "model_not_found", "model")


def test_routes_and_tools(make: Callable[..., House]) -> None:
    house = make()
    _, token = house.admin.create(Terms(name="app", routes=("/v1/chat/*",), tools_deny=("shell*",)), "root")
    refusal = house.admit(token, route="/v1/embeddings")
    assert isinstance(refusal, Refusal)
    assert refusal.status == 403
    refusal = house.admit(token, chat(tools=(ToolSpec("shell_exec"),)))
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.param) == (403, "tools")
    assert isinstance(house.admit(token, chat(tools=(ToolSpec("search"),))), Grant)


def test_over_the_limit_is_429_with_a_time_and_503_when_it_is_not_the_keys_fault(make: Callable[..., House]) -> None:
    house = make(GateSettings(limits=LimitSettings(concurrency=1, queue=QueueSettings(wait=0.0))))
    _, token = house.admin.create(Terms(name="app", quota=Quota(tokens=2_000)), "root")
    _, other = house.admin.create(Terms(name="other"), "root")
    grant = house.admit(token, chat(max_tokens=1_900))
    assert isinstance(grant, Grant)
    busy = house.admit(other)
    assert isinstance(busy, Refusal)
    assert (busy.status, busy.retry_after is not None) == (503, True)
    house.gate.settle(grant, Usage(10, 1_900), completed=True)
    full = house.admit(token, chat(max_tokens=1_900))
    assert isinstance(full, Refusal)
    assert (full.status, full.code, full.type) == (429, "rate_limit_exceeded", "tokens")
    assert full.retry_after is not None
    assert 0 < full.retry_after <= 62
    large = house.admit(token, chat(text="word " * 20_000))
    assert isinstance(large, Refusal)
    assert (large.status, large.retry_after) == (429, None)


def test_regression_a_keys_own_queue_is_429_with_a_time_for_clients_that_wait(make: Callable[..., House]) -> None:
    """OpenAI's SDK raises RateLimitError on 429 and InternalServerError on 503."""
    house = make(GateSettings(limits=LimitSettings(queue=QueueSettings(wait=0.1))))
    _, token = house.admin.create(Terms(name="app", quota=Quota(concurrency=1)), "root")

    async def run() -> list[Grant | Refusal]:
        return list(await asyncio.gather(*(house.gate.admit(sender(token), chat()) for _ in range(6))))

    house.gate.turnstile.clock = time.monotonic
    refused = [one for one in asyncio.run(run()) if isinstance(one, Refusal)]
    assert len(refused) == 5
    assert {(one.status, one.code, one.type) for one in refused} == {(429, "rate_limit_exceeded", "requests")}
    assert all(one.retry_after is not None and 0 < one.retry_after < 60 for one in refused)


def test_settling_twice_counts_once_and_what_is_unknown_counts_as_reserved(make: Callable[..., House]) -> None:
    house = make()
    quota = Quota(tokens=10_000, concurrency=1)
    _, token = house.admin.create(Terms(name="app", quota=quota), "root")
    grant = house.admit(token, chat(max_tokens=500))
    assert isinstance(grant, Grant)
    house.gate.settle(grant, Usage(), completed=False)
    house.gate.settle(grant, Usage(9_000, 9_000), completed=True)
    after = house.admit(token, chat(max_tokens=500))
    assert isinstance(after, Grant)
    assert int(dict(after.headers)["x-ratelimit-remaining-tokens"]) == 10_000 - grant.reserved - after.reserved
    house.gate.settle(after, Usage(0, 0), completed=False)


def test_regression_several_choices_and_token_ids_are_counted(make: Callable[..., House]) -> None:
    """`n` answers take `n` times the tokens, and a prompt of token ids holds no text to estimate."""
    house = make()
    _, token = house.admin.create(Terms(name="app"), "root")
    one = house.admit(token, chat(max_tokens=100))
    exchange = chat(max_tokens=100)
    exchange.body = {"n": 4, "prompt": [[1, 2, 3], [4] * 500]}
    many = house.admit(token, exchange)
    assert isinstance(one, Grant)
    assert isinstance(many, Grant)
    assert many.reserved >= one.reserved + 300 + 503


def test_a_revoked_key_stops_while_its_answer_streams(make: Callable[..., House]) -> None:
    house = make()
    view, token = house.admin.create(Terms(name="app"), "root")
    grant = house.admit(token)
    assert isinstance(grant, Grant)
    assert house.gate.stands(grant)
    house.admin.revoke(view.id, "root", "leaked")
    assert not house.gate.stands(grant)


def test_a_key_revoked_while_its_request_waits_gets_nothing(make: Callable[..., House]) -> None:
    house = make(GateSettings(limits=LimitSettings(concurrency=1)))
    view, token = house.admin.create(Terms(name="app"), "root")

    async def run() -> None:
        first = await house.gate.admit(sender(token), chat())
        assert isinstance(first, Grant)
        second = asyncio.create_task(house.gate.admit(sender(token), chat()))
        await asyncio.sleep(0)
        house.admin.revoke(view.id, "root", "leaked")
        house.gate.settle(first, Usage(1, 1), completed=True)
        refused = await asyncio.wait_for(second, 5)
        assert isinstance(refused, Refusal)
        assert refused.status == 401
        slots = house.gate.turnstile.limiter.slots
        assert slots is not None
        assert slots.held == 0
        house.gate.turnstile.close()

    asyncio.run(run())


def test_anonymous_sources_have_a_quota_of_their_own(make: Callable[..., House]) -> None:
    house = make(GateSettings(anonymous=Quota(requests=1), limits=LimitSettings(queue=QueueSettings(wait=0.0))))
    grant = house.admit("")
    assert isinstance(grant, Grant)
    assert grant.key_id == ""
    assert house.gate.stands(grant)
    assert isinstance(house.admit(""), Refusal)
    assert isinstance(house.admit("", address="192.0.2.9"), Grant)
    wrong = house.admit("hk-wrong", address="192.0.2.10")
    assert isinstance(wrong, Refusal)
    assert wrong.status == 401


def test_guessing_keys_closes_the_source(make: Callable[..., House]) -> None:
    house = make(GateSettings(limits=LimitSettings(source_failures=5)))
    _, token = house.admin.create(Terms(name="app"), "root")
    answers = [house.admit("hk-guess") for _ in range(8)]
    assert [a.status for a in answers if isinstance(a, Refusal)][-1] == 429
    blocked = house.admit(token)
    assert isinstance(blocked, Refusal)
    assert blocked.status == 429
    assert isinstance(house.admit(token, address="192.0.2.77"), Grant)


@pytest.mark.parametrize("policy", list(OnStale))
def test_keys_that_cannot_be_read_close_the_gate_by_policy(make: Callable[..., House], policy: OnStale) -> None:
    house = make(GateSettings(on_stale=policy))
    _, token = house.admin.create(Terms(name="app"), "root")
    house.gate.ring.store.close()
    house.clock.at += 1
    assert isinstance(house.admit(token), Grant)
    assert house.gate.gaps()
    house.clock.at += 61
    late = house.admit(token)
    assert isinstance(late, Refusal) == (policy is OnStale.CLOSED)


def test_a_key_that_probes_models_is_suspended_and_can_come_back(make: Callable[..., House]) -> None:
    house = make()
    view, token = house.admin.create(Terms(name="app", models=("small",)), "root")
    for name in ("gpt-5", "claude", "qwen", "llama", "o3"):
        house.admit(token, chat(name))
    shown = house.admin.show(view.id)
    assert (shown.status, shown.changed_by) == (Status.SUSPENDED, BY_ANOMALY)
    assert "gpt-5" in shown.reason
    assert [alarm.key_id for alarm in house.alarms] == [view.id]
    assert isinstance(house.admit(token), Refusal)
    house.admin.resume(view.id, "root", "was us")
    assert isinstance(house.admit(token), Grant)


def test_closed_keys_are_told_to_other_replicas_and_news_of_them_only_close(make: Callable[..., House]) -> None:
    house = make()
    mine, _ = house.admin.create(Terms(name="mine"), "root")
    house.admin.suspend(mine.id, "root", "odd")
    assert house.told == [(mine.id, "suspended", "odd", house.clock())]
    house.gate.closed_elsewhere(mine.id, "active", "let me in", house.clock())
    assert house.admin.show(mine.id).status is Status.SUSPENDED
    house.gate.closed_elsewhere(mine.id, "suspended", "odd", house.clock())
    house.gate.closed_elsewhere(mine.id, "revoked", "leaked", house.clock())
    house.gate.closed_elsewhere(mine.id, "suspended", "odd", house.clock())
    house.gate.closed_elsewhere("key_nobody", "revoked", "x", house.clock())
    assert house.admin.show(mine.id).status is Status.REVOKED
    assert len(house.told) == 1  # what was heard is not told again


def test_regression_a_resumed_key_was_suspended_again_by_old_news(make: Callable[..., House]) -> None:
    """Redis keeps the news, and each restart and each new connection brings all of it again."""
    house = make()
    view, token = house.admin.create(Terms(name="app"), "root")
    suspended = house.admin.suspend(view.id, "hauberk:anomaly", "leaked-key")
    house.clock.at += 60
    house.admin.resume(view.id, "ann", "it was us")
    house.gate.closed_elsewhere(view.id, "suspended", "leaked-key", suspended.changed)
    assert isinstance(house.admit(token), Grant)
    house.gate.closed_elsewhere(view.id, "suspended", "odd again", house.clock() + 1)
    assert house.admin.show(view.id).status is Status.SUSPENDED


def test_regression_what_the_command_line_did_to_keys_went_unnoticed(make: Callable[..., House], tmp_path: Path) -> None:
    """Keys are made, closed and resumed by another process: its changes must reach the rules and the other replicas too."""
    house = make()
    elsewhere = KeyAdmin(KeyRing(SqliteKeyStore(tmp_path / "keys.db"), clock=house.clock), clock=house.clock)
    views = [elsewhere.create(Terms(name=f"k{number}"), "mallory")[0] for number in range(20)]
    house.clock.at += 1
    house.gate.ring.poll()
    assert [(alarm.signal, alarm.evidence["who"]) for alarm in house.alarms] == [("registration-burst", "by mallory")]
    elsewhere.suspend(views[0].id, "ann", "odd")
    house.clock.at += 1
    house.gate.ring.poll()
    assert house.told == [(views[0].id, "suspended", "odd", house.clock() - 1)]
    for number in range(5):
        house.gate.monitor.unknown_model(views[0].id, f"m{number}", house.clock())
    elsewhere.resume(views[0].id, "ann")
    house.clock.at += 1
    house.gate.ring.poll()
    house.clock.at += 90_000
    assert house.gate.monitor.unknown_model(views[0].id, "m9", house.clock()) == []  # forgiven: counted from the beginning


@given(st.text(max_size=300), st.text(max_size=50), st.text(max_size=50))
def test_arbitrary_callers_are_refused_without_a_traceback(token: str, address: str, route: str) -> None:
    house = getattr(test_arbitrary_callers_are_refused_without_a_traceback, "house", None)
    assert house is not None
    answer = house.gate.identify(Caller(token, address, route, ""))
    assert isinstance(answer, Refusal)


@pytest.fixture(autouse=True, scope="module")
def _one_house(tmp_path_factory: pytest.TempPathFactory) -> None:
    house = House(tmp_path_factory.mktemp("keys"))
    test_arbitrary_callers_are_refused_without_a_traceback.house = house  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0ms"), (0.0201, "21ms"), (1.5, "1.5s"), (59.9999, "60s"), (361, "6m1s"), (7_322, "2h2m2s")]
)
def test_times_are_said_as_openai_does(seconds: float, said: str) -> None:
    assert duration(seconds) == said
