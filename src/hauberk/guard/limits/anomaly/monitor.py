"""Watches what each key does, against what it usually does."""

from collections import OrderedDict, deque

import msgspec

from hauberk.guard.limits.anomaly.baseline import MAX_MODELS, Baseline, network_of
from hauberk.guard.limits.anomaly.settings import HOUR, AnomalySettings, Response, Signal

MAX_KEYS = 20_000
_DAY_HOURS = 24


class Alarm(msgspec.Struct, frozen=True):
    """A rule that fired, with what it saw."""

    signal: Signal
    response: Response
    key_id: str  # "" for registrations
    at: float  # seconds since the epoch
    evidence: dict[str, str | int | float]


class Monitor:
    """The rules over the baselines. Bounded: keys longest silent are forgotten (and learnt anew)."""

    def __init__(self, settings: AnomalySettings) -> None:
        self.settings = settings
        self._keys: OrderedDict[str, Baseline] = OrderedDict()
        self._quiet: dict[tuple[str, Signal], float] = {}
        self._created: dict[str, deque[float]] = {}

    def request(self, key_id: str, model: str, address: str, now: float) -> list[Alarm]:
        """A request that the key may make; `now` in seconds since the epoch."""
        base = self._baseline(key_id, now)
        network = network_of(address)
        known = list(base.networks)[-1:] if base.networks else []
        new_model, new_network = base.request(model, network, now)
        if not base.learnt(now, self.settings):
            return []
        found: list[Alarm | None] = [self._leaked(key_id, base, now)]
        if new_model:
            found.append(self._alarm(Signal.NEW_MODEL, key_id, now, model=model, models_known=len(base.models) - 1))
        if new_network:
            evidence = {"network": network, "networks_known": len(base.networks) - 1, "last": "".join(known)}
            found.append(self._alarm(Signal.NEW_NETWORK, key_id, now, **evidence))
        sources = len(base.hour_networks)
        if sources > max(self.settings.sources, 3 * base.most_networks):
            found.append(self._alarm(Signal.MANY_SOURCES, key_id, now, networks=sources, most_before=base.most_networks))
        return [alarm for alarm in found if alarm]

    def unknown_model(self, key_id: str, model: str, now: float) -> list[Alarm]:
        """A request for a model that does not exist or is not the key's. Needs no learning period."""
        base = self._baseline(key_id, now)
        base.roll(now)
        if len(base.unknown) < MAX_MODELS:
            base.unknown[model[:256]] = now
        lately = [name for name, at in base.unknown.items() if now - at < HOUR]
        if len(lately) < self.settings.unknown_models:
            return []
        alarm = self._alarm(Signal.ENUMERATION, key_id, now, models=len(lately), names=", ".join(lately[:8])[:200])
        return [alarm] if alarm else []

    def used(self, key_id: str, tokens: int, now: float) -> list[Alarm]:
        """The tokens of a request, when it has ended."""
        base = self._baseline(key_id, now)
        base.used(tokens, now)
        if not base.learnt(now, self.settings):
            return []
        found = [self._leaked(key_id, base, now)]
        hour, limit = base.tokens.total(now), self._limit(base, self.settings.volume_factor)
        if hour > limit:
            found.append(self._alarm(Signal.VOLUME, key_id, now, **self._volume(base, hour, limit, now)))
        return [alarm for alarm in found if alarm]

    def failed(self, key_id: str, now: float) -> list[Alarm]:
        """A request that was refused or failed."""
        base = self._baseline(key_id, now)
        base.failed.add(1, now)
        failures, asked = base.failed.total(now), base.asked.total(now)
        if failures < self.settings.failures or failures * 2 < asked or not base.learnt(now, self.settings):
            return []
        alarm = self._alarm(Signal.FAILURES, key_id, now, failures=int(failures), requests=int(asked))
        return [alarm] if alarm else []

    def created(self, by: str, tenant: str, now: float) -> list[Alarm]:
        """A key was created."""
        found: list[Alarm] = []
        for who in {f"by {by}", f"for {tenant}"} if tenant else {f"by {by}"}:
            times = self._created.setdefault(who, deque(maxlen=self.settings.registrations))
            times.append(now)
            if len(times) == times.maxlen and now - times[0] < HOUR:
                alarm = self._alarm(Signal.REGISTRATIONS, who, now, who=who, keys=len(times))
                found += [alarm] if alarm else []
        return found

    def odd(self, signal: Signal, key_id: str, now: float, **evidence: str | float) -> list[Alarm]:
        """What another detector (model extraction) saw, as an alarm."""
        alarm = self._alarm(signal, key_id, now, **evidence)
        return [alarm] if alarm else []

    def forgive(self, key_id: str, now: float) -> None:
        """An admin has looked and resumed the key: its present habits are its own, and the rules stay quiet for a while."""
        for signal in Signal:
            self._quiet[key_id, signal] = now + self.settings.quiet
        base = self._keys.get(key_id)
        if base is not None:
            base.models = dict.fromkeys(base.models, base.first)
            base.unknown.clear()

    def snapshot(self) -> bytes:
        """Every baseline, to be given to `restore` after a restart."""
        return msgspec.msgpack.encode(dict(self._keys))

    def restore(self, data: bytes) -> None:
        """Takes over the baselines of a `snapshot`. Raises msgspec.DecodeError; what is known then stays."""
        self._keys = OrderedDict(msgspec.msgpack.decode(data, type=dict[str, Baseline]))

    def _leaked(self, key_id: str, base: Baseline, now: float) -> Alarm | None:
        model = base.newest_model(now, self.settings)
        hour, limit = base.tokens.total(now), self._limit(base, self.settings.leaked_factor)
        if not model or hour <= limit:
            return None
        return self._alarm(Signal.LEAKED_KEY, key_id, now, new_model=model, **self._volume(base, hour, limit, now))

    def _limit(self, base: Baseline, factor: float) -> float:
        return max(factor * base.usual, float(self.settings.volume_floor))

    def _volume(self, base: Baseline, hour: float, limit: float, now: float) -> dict[str, str | float]:
        usual_share = base.hours[int(now / HOUR) % _DAY_HOURS] / max(sum(base.hours), 1)
        return {
            "tokens_last_hour": int(hour),
            "usual_hour": int(base.usual),
            "limit": int(limit),
            "share_of_requests_at_this_hour": round(usual_share, 3),
        }

    def _alarm(self, signal: Signal, key_id: str, now: float, **evidence: str | float) -> Alarm | None:
        response = self.settings.response(signal)
        if response is Response.OFF or now < self._quiet.get((key_id, signal), 0.0):
            return None
        if len(self._quiet) > MAX_KEYS:
            self._quiet = {key: until for key, until in self._quiet.items() if until > now}
        self._quiet[key_id, signal] = now + self.settings.quiet
        return Alarm(signal, response, "" if signal is Signal.REGISTRATIONS else key_id, now, evidence)

    def _baseline(self, key_id: str, now: float) -> Baseline:
        base = self._keys.get(key_id)
        if base is None:
            base = self._keys[key_id] = Baseline(first=now)
            if len(self._keys) > MAX_KEYS:
                self._keys.popitem(last=False)
        else:
            self._keys.move_to_end(key_id)
        return base
