"""Keys, limits and anomaly rules as the gateway's gate."""

import math
import time
from collections.abc import Callable
from enum import StrEnum

import msgspec

from hauberk.assets.chat import Role
from hauberk.core import Gap
from hauberk.guard.dialects.dialect import Refusal
from hauberk.guard.exchange import Exchange, Usage
from hauberk.guard.gateway.hooks import Caller, Grant
from hauberk.guard.keys.admin import AdminEvent, KeyAdmin
from hauberk.guard.keys.key import Key, KeyProblem, Status, Terms
from hauberk.guard.keys.permit import Permit
from hauberk.guard.keys.ring import KeyRing
from hauberk.guard.keys.store import KeyStoreError
from hauberk.guard.limits.anomaly import Alarm, AnomalySettings, Monitor, Response, Signal
from hauberk.guard.limits.anomaly.extraction import Extraction
from hauberk.guard.limits.anomaly.texts import seen_of
from hauberk.guard.limits.estimate import choices, prompt_tokens
from hauberk.guard.limits.expectation import Expectation
from hauberk.guard.limits.limiter import Ask, Blocked, Cause, Lease
from hauberk.guard.limits.meter import FOREVER, Meter
from hauberk.guard.limits.quota import Quota
from hauberk.guard.limits.settings import LimitSettings, Reserve
from hauberk.guard.limits.sources import Sources, source_of
from hauberk.guard.limits.turnstile import Turnstile

BY_ANOMALY = "hauberk:anomaly"
BY_REPLICA = "hauberk:replica"
_MAX_WAIT = 86_400.0


class OnStale(StrEnum):
    """What happens when keys cannot be read for longer than allowed."""

    OPEN = "open"  # what was read last goes on holding
    CLOSED = "closed"


class GateSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Who may come in."""

    anonymous: Quota | None = None  # a quota for each source that sends no key; None: a key is needed
    on_stale: OnStale = OnStale.CLOSED
    stale_seconds: float = 60.0
    limits: LimitSettings = LimitSettings()
    anomaly: AnomalySettings = AnomalySettings()


class Held(msgspec.Struct, eq=False):
    """What a grant stands on."""

    permit: Permit
    lease: Lease | None


_UNKNOWN = Refusal(401, "invalid_api_key", "Incorrect API key provided.", type="authentication_error")
_ROUTE = Refusal(403, "insufficient_permissions", "This API key may not be used for this operation.", type="permission_error")
_STALE = Refusal(503, "service_unavailable", "The service is temporarily unavailable.", type="server_error", retry_after=5.0)
_OWN = {
    Cause.REQUESTS: "Rate limit reached for requests per minute.",
    Cause.TOKENS: "Rate limit reached for tokens per minute.",
    Cause.CONCURRENCY: "Too many requests under way for this API key.",
    Cause.QUEUE: "Too many requests of this API key are waiting already.",
}


class KeyGate:
    """Implements `hooks.Gate`. Belongs to one event loop.

    Args:
        settings: Who may come in, and the limits for all.
        ring: The keys.
        turnstile: The limits and their queue.
        admin: Suspends keys that an anomaly rule says to; None only tells `alarm`.
        alarm: Takes each alarm.
        publish: Tells other replicas of a closed key, by id, status, reason and when it was closed (`Replica.publish`).
        wall: Seconds since the epoch, for expiry and baselines. The turnstile's clock is the monotonic one.
    """

    def __init__(
        self,
        settings: GateSettings,
        ring: KeyRing,
        turnstile: Turnstile,
        *,
        admin: KeyAdmin | None = None,
        alarm: Callable[[Alarm], None] = lambda _alarm: None,
        publish: Callable[[str, str, str, float], None] = lambda _id, _status, _reason, _at: None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self.ring = ring
        ring.changed = self._changed
        self.turnstile = turnstile
        self.monitor = Monitor(settings.anomaly)
        self._admin = admin
        self._alarm = alarm
        self._publish = publish
        self._wall = wall
        self._sources = Sources(settings.limits)
        self._expected = Expectation(settings.limits)
        self._count = 0
        watched = settings.anomaly.response(Signal.EXTRACTION) is not Response.OFF
        self._extraction = Extraction(settings.anomaly.extraction_score) if watched else None

    async def admit(self, caller: Caller, exchange: Exchange) -> Grant | Refusal:
        """Leave to go on, waiting in the fair queue if need be. Nothing is taken by a refusal or a cancelled call."""
        permit = self._permit(caller)
        if isinstance(permit, Refusal):
            return permit
        refused = self._terms(permit, exchange)
        if refused is not None:
            return refused
        key = permit.key
        exchange.caller = _called(key)
        self._watch(key, caller, exchange)
        if not key_stands(self.ring, key, self._wall()):
            return _UNKNOWN
        ask = self._ask(key, exchange)
        result = await self.turnstile.admit(ask)
        if isinstance(result, Blocked):
            self._act(self.monitor.failed(key.id, self._wall()))
            return _refusal(result)
        if not key_stands(self.ring, key, self._wall()):  # revoked while it waited
            self.turnstile.settle(result, 0, 0)
            return _UNKNOWN
        return _grant(key, ask.tokens, Held(permit, result), self._headers(key))

    def identify(self, caller: Caller) -> Grant | Refusal:
        permit = self._permit(caller)
        if isinstance(permit, Refusal):
            return permit
        return _grant(permit.key, 0, Held(permit, None), self._headers(permit.key))

    def allows_model(self, grant: Grant, model: str) -> bool:
        return isinstance(grant.lease, Held) and grant.lease.permit.model(model)

    def stands(self, grant: Grant) -> bool:
        """Whether the grant's key is still good; asked now and then while a long answer streams."""
        held = grant.lease
        return isinstance(held, Held) and key_stands(self.ring, held.permit.key, self._wall())

    def first_token(self, grant: Grant, seconds: float) -> None:
        held = grant.lease
        if isinstance(held, Held) and held.lease is not None:
            self.turnstile.first_token(held.lease, seconds)

    def settle(self, grant: Grant, usage: Usage, *, completed: bool) -> None:
        """Ends the grant; a second call does nothing.

        What the usage leaves open counts as reserved, whether or not the answer was completed, so that breaking off is no way
        around a limit: who knows what was streamed passes `estimate_tokens` of it, and zeros when the upstream never worked.
        """
        held = grant.lease
        if not isinstance(held, Held) or held.lease is None:
            return
        ask = held.lease.ask
        prompt = ask.prompt if usage.input is None else max(usage.input, 0)
        output = ask.output if usage.output is None else max(usage.output, 0)
        if not self.turnstile.settle(held.lease, prompt, output, usage.cached):
            return
        if usage.output is not None and completed:
            self._expected.learn(ask.key_id, ask.model, output)
        now = self._wall()
        alarms = self.monitor.used(ask.key_id, prompt + output, now)
        self._act(alarms if completed else [*alarms, *self.monitor.failed(ask.key_id, now)])

    def gaps(self) -> list[Gap]:
        """What the gate could not see to its end, now: keys or spending that cannot be read or written."""
        return [self.ring.gap] if self.ring.gap is not None else []

    def heard(self, event: AdminEvent) -> None:
        """Takes an admin's change: other replicas hear of closed keys, a resumed one is forgiven, a burst of new ones noticed."""
        if event.action in {"suspend", "revoke"} and event.after is not None and event.by != BY_REPLICA:
            self._publish(event.key_id, event.after.status, event.reason, event.after.changed)
        if event.action == "resume":
            self.monitor.forgive(event.key_id, event.at)
        elif event.action == "create":
            tenant = event.after.terms.tenant if event.after is not None else ""
            self._act(self.monitor.created(event.by, tenant, event.at))

    def closed_elsewhere(self, key_id: str, status: str, reason: str, at: float) -> None:
        """Another replica suspended or revoked a key at `at`. News only close: nobody who writes to Redis can open a key here.

        They are heard again with each new connection, so a suspension older than the key's last change here is over: an admin
        has resumed it since.
        """
        key = self.ring.get(key_id)
        if key is None or self._admin is None or key.status in {Status.REVOKED, status}:
            return
        if status == Status.SUSPENDED and key.changed > at:
            return
        try:
            if status == Status.REVOKED:
                self._admin.revoke(key_id, BY_REPLICA, reason)
            elif status == Status.SUSPENDED:
                self._admin.suspend(key_id, BY_REPLICA, reason)
        except (KeyProblem, KeyStoreError):
            return  # revoked meanwhile, or the store says so itself through `gaps`

    def _changed(self, before: Key | None, after: Key) -> None:
        """Takes what another process, most often the command line, did to a key in the store that both use."""
        if before is None:
            self._act(self.monitor.created(after.created_by, after.terms.tenant, after.created))
        elif after.status is Status.ACTIVE:
            self.monitor.forgive(after.id, self._wall())
        if after.status is not Status.ACTIVE and after.changed_by != BY_REPLICA:
            self._publish(after.id, after.status, after.reason, after.changed)

    def _permit(self, caller: Caller) -> Permit | Refusal:
        now = self.turnstile.clock()
        wait = self._sources.wait(caller.address, now)
        if wait > 0:
            return _refusal(Blocked(Cause.SOURCE, wait))
        if not caller.credential and self.settings.anonymous is not None:
            return _anonymous(caller, self.settings.anonymous)
        permit = self.ring.find(caller.credential)
        if self._too_old():
            return _STALE
        # Unknown, expired, revoked, suspended, from a network that is not its own: one answer, so that a thief learns nothing.
        if permit is None or not permit.live(self._wall()) or not permit.source(caller.address):
            self._sources.failed(caller.address, now)
            return _UNKNOWN
        return permit if permit.route(caller.route) else _ROUTE

    def _too_old(self) -> bool:
        if self.ring.gap is None or self.settings.on_stale is OnStale.OPEN:
            return False
        return self.ring.age > self.settings.stale_seconds

    def _terms(self, permit: Permit, exchange: Exchange) -> Refusal | None:
        if not permit.model(exchange.model):
            self._act(self.monitor.unknown_model(permit.key.id, exchange.model, self._wall()))
            return model_not_found(exchange.model)
        for tool in exchange.tools:
            if not permit.tool(tool.name):
                message = f"The tool `{tool.name[:64]}` may not be used with this API key."
                return Refusal(403, "tool_not_allowed", message, type="permission_error", param="tools")
        return None

    def _watch(self, key: Key, caller: Caller, exchange: Exchange) -> None:
        now = self._wall()
        self._act(self.monitor.request(key.id, exchange.model, caller.address, now))
        self._count += 1
        if self._extraction is None or self._count % max(self.settings.anomaly.extraction_every, 1):
            return
        text = next((piece.text for piece in reversed(exchange.pieces) if piece.role is Role.USER), "")
        sweep = self._extraction.prompt(key.id, seen_of(text, exchange.body)) if text else None
        if sweep is not None:
            self._act(self.monitor.odd(Signal.EXTRACTION, key.id, now, **sweep.evidence()))

    def _ask(self, key: Key, exchange: Exchange) -> Ask:
        prompt, quota = prompt_tokens(exchange), key.terms.quota
        output = self._expected.reserve(key.id, exchange.model, exchange.max_tokens) * choices(exchange)
        limits = [limit for limit in (quota.tokens, self.settings.limits.tokens) if limit is not None]
        if self.settings.limits.reserve is Reserve.EXPECTED and limits:
            # A guess alone must not make a request impossible; what an answer takes beyond it becomes debt.
            output = min(output, max(min(limits) - prompt, 0))
        return Ask(key.id, key.terms.tenant, quota, exchange.model, prompt, output)

    def _headers(self, key: Key) -> tuple[tuple[str, str], ...]:
        meters = self.turnstile.limiter.meters(key.id, key.terms.quota)
        now, quota = self.turnstile.clock(), key.terms.quota
        rows: list[tuple[str, str]] = []
        limits: tuple[tuple[str, int | None, Meter | None], ...] = (
            ("requests", quota.requests, meters.requests),
            ("tokens", quota.tokens, meters.tokens),
        )
        for name, limit, meter in limits:
            if meter is not None:
                rows.append((f"x-ratelimit-limit-{name}", str(limit)))
                rows.append((f"x-ratelimit-remaining-{name}", str(meter.left(now))))
                rows.append((f"x-ratelimit-reset-{name}", duration(meter.reset(now))))
        return tuple(rows)

    def _act(self, alarms: list[Alarm]) -> None:
        for alarm in alarms:
            self._alarm(alarm)
            if alarm.response is Response.SUSPEND and alarm.key_id and self._admin is not None:
                seen = ", ".join(f"{name} {value}" for name, value in alarm.evidence.items())
                try:
                    self._admin.suspend(alarm.key_id, BY_ANOMALY, f"{alarm.signal}: {seen}")
                except (KeyProblem, KeyStoreError):
                    continue  # revoked meanwhile, or a source without a key; the alarm itself was told


def key_stands(ring: KeyRing, key: Key, now: float) -> bool:
    """Whether `key` still opens anything; an anonymous source always does."""
    return key.id.startswith("source:") or ring.active(key.id, now)


def model_not_found(model: str) -> Refusal:
    """The same for a model that is not there and one that is not the key's."""
    message = f"The model `{model[:128]}` does not exist or you do not have access to it."
    return Refusal(404, "model_not_found", message, param="model")


def duration(seconds: float) -> str:
    """As OpenAI's headers say times: `20ms`, `1.5s`, `6m0s`."""
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    if seconds < 60:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + f"{minutes}m{rest}s"


def _refusal(blocked: Blocked) -> Refusal:
    after = None if blocked.wait == FOREVER else min(max(blocked.wait, 0.001), _MAX_WAIT)
    if blocked.cause is Cause.BUDGET:
        message = "You exceeded your current quota."
        return Refusal(429, "insufficient_quota", message, type="insufficient_quota", retry_after=after)
    if blocked.cause is Cause.UNPRICED:
        return Refusal(503, "service_unavailable", "The service is not configured for this API key.", type="server_error")
    if blocked.cause is Cause.TOKENS and blocked.wait == FOREVER:
        message = "The request is larger than the limit of tokens per minute; send less, or ask for a higher limit."
        return Refusal(429, "rate_limit_exceeded", message, type="tokens")
    if blocked.own:
        message = _OWN.get(blocked.cause, "Too many requests.")
        return Refusal(429, "rate_limit_exceeded", message, type=_limit_type(blocked.cause), retry_after=after)
    return Refusal(503, "overloaded", "The service is overloaded; try again later.", type="server_error", retry_after=after)


def _limit_type(cause: Cause) -> str:
    """`type` of a 429 as OpenAI's API says it: what there was too much of."""
    return "tokens" if cause is Cause.TOKENS else "requests"


def _grant(key: Key, reserved: int, held: Held, headers: tuple[tuple[str, str], ...]) -> Grant:
    anonymous = key.id.startswith("source:")
    return Grant("" if anonymous else key.id, key.terms.name, key.terms.tenant, reserved, held, headers)


def _called(key: Key) -> str:
    if key.id.startswith("source:"):
        return key.id
    name = key.terms.name or key.id
    return f"{name} ({key.terms.tenant})" if key.terms.tenant else name


def _anonymous(caller: Caller, quota: Quota) -> Permit:
    name = f"source:{source_of(caller.address)}"
    return Permit(Key(name, Terms(name="anonymous", quota=quota), b"", "", 0.0, ""), b"")
