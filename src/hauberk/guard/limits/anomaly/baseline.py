"""What is usual for one key. Bounded: a few kilobytes a key, whatever it sends."""

from ipaddress import IPv6Address, ip_address

import msgspec

from hauberk.guard.limits.anomaly.settings import HOUR, AnomalySettings

MAX_MODELS = 64
MAX_NETWORKS = 256
_ALPHA = 0.1
_PART = 300.0  # seconds of one part of the sliding hour
_PARTS = 12


def network_of(address: str) -> str:
    """The /24 or /48 that counts as one network. Who owns it (its ASN) is not known offline."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is None:
        return str(IPv6Address(int(ip) >> 80 << 80)) + "/48"
    return str(getattr(ip, "ipv4_mapped", None) or ip).rpartition(".")[0] + ".0/24"


class LastHour(msgspec.Struct):
    """A sum over the last hour, in twelve parts."""

    parts: list[float] = msgspec.field(default_factory=lambda: [0.0] * _PARTS)
    part: int = 0

    def add(self, amount: float, now: float) -> None:
        self._advance(now)
        self.parts[self.part % _PARTS] += amount

    def total(self, now: float) -> float:
        self._advance(now)
        return sum(self.parts)

    def _advance(self, now: float) -> None:
        part = int(now / _PART)
        for passed in range(max(self.part + 1, part - _PARTS + 1), part + 1):
            self.parts[passed % _PARTS] = 0.0
        self.part = max(self.part, part)


class Baseline(msgspec.Struct):
    """One key's habits, and its last hour. Times are seconds since the epoch."""

    first: float
    requests: int = 0
    models: dict[str, float] = {}  # name -> when first used
    networks: dict[str, float] = {}  # network -> when last seen
    hours: list[float] = msgspec.field(default_factory=lambda: [0.0] * 24)  # requests by hour of day, UTC
    usual: float = 0.0  # EWMA of tokens in an hour, over hours with traffic
    measured: int = 0  # hours that are in it
    hour: int = 0
    hour_tokens: float = 0.0
    most_networks: int = 0  # in one hour, before this one
    hour_networks: dict[str, None] = {}
    tokens: LastHour = msgspec.field(default_factory=LastHour)
    asked: LastHour = msgspec.field(default_factory=LastHour)
    failed: LastHour = msgspec.field(default_factory=LastHour)
    unknown: dict[str, float] = {}  # models that are not the key's -> when last asked for

    def learnt(self, now: float, settings: AnomalySettings) -> bool:
        """Whether enough was seen to call anything odd."""
        return now - self.first >= settings.learn_seconds and self.requests >= settings.learn_requests

    def roll(self, now: float) -> None:
        """Closes the hour when a new one has begun."""
        hour = int(now / HOUR)
        if hour == self.hour:
            return
        if self.hour_tokens:
            self.measured += 1
            weight = max(_ALPHA, 1 / self.measured)
            # An hour may move the mean by its double at most: a thief cannot teach the baseline in one hour.
            counted = self.hour_tokens if self.measured <= 3 else min(self.hour_tokens, 2 * self.usual + 1_000)
            self.usual += weight * (counted - self.usual)
        self.most_networks = max(self.most_networks, len(self.hour_networks))
        self.hour, self.hour_tokens, self.hour_networks = hour, 0.0, {}
        self.unknown = {model: at for model, at in self.unknown.items() if now - at < HOUR}

    def request(self, model: str, network: str, now: float) -> tuple[bool, bool]:
        """Takes a request in; whether its model and its network are new to the key."""
        self.roll(now)
        self.requests += 1
        self.hours[int(now / HOUR) % 24] += 1
        self.asked.add(1, now)
        new_model, new_network = model not in self.models, network not in self.networks
        if new_model and len(self.models) < MAX_MODELS:
            self.models[model] = now
        self.networks[network] = now
        if len(self.networks) > MAX_NETWORKS:
            del self.networks[min(self.networks, key=self.networks.__getitem__)]
        if len(self.hour_networks) < MAX_NETWORKS:
            self.hour_networks[network] = None
        return new_model, new_network

    def used(self, tokens: int, now: float) -> None:
        """Takes the tokens of a request in."""
        self.roll(now)
        self.hour_tokens += tokens
        self.tokens.add(tokens, now)

    def newest_model(self, now: float, settings: AnomalySettings) -> str:
        """A model that became the key's after its learning period and lately, or ""."""
        learnt = self.first + settings.learn_seconds
        fresh = [m for m, at in self.models.items() if at > learnt and now - at < settings.new_model_memory]
        return max(fresh, key=self.models.__getitem__, default="")
