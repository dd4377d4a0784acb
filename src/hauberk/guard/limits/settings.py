"""The limits that hold for everybody, and how limiting behaves."""

from enum import StrEnum

import msgspec


class Reserve(StrEnum):
    """What is reserved for an answer of unknown length."""

    EXPECTED = "expected"  # what this key's answers from this model usually take, with headroom; the rest is debt
    MAXIMUM = "maximum"  # the request's max_tokens: never a debt, but most of it is held for nothing


class OnLoss(StrEnum):
    """What happens to shared limits while Redis cannot be reached."""

    SHARE = "share"  # each replica goes on with limit / replicas
    CLOSED = "closed"  # what is leased is used up, then requests are refused


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Prices of a model, in the operator's currency for a million tokens."""

    model: str  # glob; the first that fits counts
    input: float
    output: float
    cached: float | None = None  # None: as `input`


class QueueSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The fair queue in front of the limits."""

    size: int = 1_024  # requests that may wait, all tenants together
    per_tenant: int = 256
    wait: float = 10.0  # seconds; who would have to wait longer is refused at once
    quantum: int = 4_096  # tokens that a tenant of weight 1 gains each round


class SharedSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Sharing between replicas through Redis or Valkey."""

    url: str = ""  # redis://, rediss:// or unix://; "" for none
    password_env: str = ""  # the environment variable with its password
    replicas: int = 1  # how many are expected; only `on-loss = share` uses it
    on_loss: OnLoss = OnLoss.SHARE
    interval: float = 0.05  # seconds between syncs when there is nothing urgent
    lease: float = 5.0  # seconds after which a silent replica counts as dead
    prefix: str = "hauberk"


class LimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Limits of the gateway as a whole; those of a key are in its quota."""

    tokens: int | None = None  # a minute, all keys together
    concurrency: int | None = 256  # requests under way at the upstreams
    source_requests: int | None = 600  # a minute and source (an IPv4 address, an IPv6 /64)
    source_failures: int = 20  # bad keys a minute and source, then every request of it is refused for a while
    window: float = 60.0  # seconds that token and request limits are for
    reserve: Reserve = Reserve.EXPECTED
    headroom: float = 1.5  # on the usual length of an answer
    first_output: int = 1_024  # reserved while nothing is known and max_tokens is not given
    adaptive: bool = True  # lower the concurrency when the time to the first token rises
    queue: QueueSettings = QueueSettings()
    prices: tuple[Price, ...] = ()
    shared: SharedSettings = SharedSettings()
