"""The `[guard]` table of `hauberk.toml`: where the gateway listens, which models it serves, and its bounds."""

import ipaddress
import os
from collections.abc import Iterator, Mapping
from enum import StrEnum
from urllib.parse import urlsplit

import msgspec

from hauberk.policy.config import load_config
from hauberk.policy.errors import PolicyError

Table = dict[str, object]
"""A table that another part of the guard reads."""


class Fail(StrEnum):
    """What happens to a request that the guard could not judge."""

    CLOSED = "closed"  # refused
    OPEN = "open"  # let through, and said so in headers and log


class Api(StrEnum):
    """The family of APIs an upstream speaks."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


class Deadlines(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Of clients, in seconds. A body may take longer than `body` while it comes at `body_rate` bytes a second or faster."""

    header: float = 8.0  # from the first byte, or from the connection, to the end of the headers
    body: float = 8.0
    body_rate: float = 16_384.0
    write: float = 30.0  # that a client may leave what was sent to it unread
    keep_alive: float = 60.0
    drain: float = 30.0  # for streams to end after SIGTERM


class Bounds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Sizes in bytes, and counts for each worker process."""

    body: int = 8 << 20
    header: int = 64 << 10
    headers: int = 100
    answer: int = 32 << 20
    connections: int = 20_000
    connections_per_source: int = 512


class Circuit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """After `failures` in a row an upstream is left alone for `rest` seconds, doubling to `longest_rest`, then tried once."""

    failures: int = 5
    rest: float = 5.0
    longest_rest: float = 60.0


class Health(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Asks `GET path` every `interval` seconds; "" asks nothing. Any answer below 500 but 429 is health."""

    path: str = ""
    interval: float = 10.0
    timeout: float = 3.0


class UpstreamSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """One server of models. Times in seconds."""

    name: str
    base_url: str  # up to and with the version: `https://api.openai.com/v1`
    key_env: str = ""  # the environment variable that holds its key
    api: Api = Api.OPENAI
    models: tuple[str, ...] = ()  # served under their own names; ("*",) passes every name on
    ca_file: str = ""
    proxy: str = ""  # `http://host:port`; "" goes by the environment, "none" uses none
    connections: int = 512
    connect: float = 5.0
    first_byte: float = 120.0
    idle: float = 60.0  # between two pieces of an answer
    total: float = 900.0
    keep_idle: float = 20.0  # that an unused connection is kept
    circuit: Circuit = Circuit()
    health: Health = Health()


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Where a model is found. Lower tiers are asked first; within one, in proportion to the weights."""

    upstream: str
    model: str = ""  # its name there; "" is the same name
    weight: float = 1.0
    tier: int = 0


class ModelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """A model as clients name it."""

    name: str
    to: tuple[Target, ...]


class Retries(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Further tries before the first byte has gone to the client. Times in seconds."""

    most: int = 2
    statuses: tuple[int, ...] = (429, 500, 502, 503, 504, 529)
    base: float = 0.25  # of the exponential back-off, with full jitter
    longest: float = 8.0  # a `Retry-After` beyond this is passed on to the client instead


class GuardSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """`[guard]` as written. The tables at the end belong to the parts they are named after."""

    listen: str = "127.0.0.1:8040"
    workers: int = 1
    fail: Fail = Fail.CLOSED
    tls_certificate: str = ""
    tls_key: str = ""
    trusted_proxies: tuple[str, ...] = ()  # networks whose X-Forwarded-For is believed
    admin_from: tuple[str, ...] = ("127.0.0.0/8", "::1/128")  # networks that may read /metrics
    upstream: tuple[UpstreamSettings, ...] = ()
    model: tuple[ModelSettings, ...] = ()
    deadlines: Deadlines = Deadlines()
    bounds: Bounds = Bounds()
    retries: Retries = Retries()
    keys: Table = {}
    limits: Table = {}
    policy: Table = {}
    detect: Table = {}
    stream: Table = {}
    audit: Table = {}
    telemetry: Table = {}
    label: Table = {}
    approvals: Table = {}
    learnt: str = ""  # folder that `hauberk probe learn` wrote; its detector and rules judge beside those that ship

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen at."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


def guard_settings(table: Mapping[str, object]) -> GuardSettings:
    """The settings in a `[guard]` table. Raises PolicyError: one line with the key and what to do."""
    try:
        settings = msgspec.convert(table, GuardSettings)
    except msgspec.ValidationError as error:
        raise PolicyError(f"guard: {error}; see docs/guard.md") from error
    for wrong in _wrong(settings):
        raise PolicyError(f"guard.{wrong}")
    return settings


def load_guard_settings(path: str | os.PathLike[str] | None) -> GuardSettings:
    """The settings in the file at `path`; the defaults when None. Raises PolicyError."""
    try:
        return guard_settings(load_config(path).guard)
    except PolicyError as error:
        name = "" if path is None else os.fspath(path)
        raise PolicyError(str(error) if str(error).startswith(name) else f"{name}: {error}") from None


def _wrong(settings: GuardSettings) -> Iterator[str]:
    yield from _wrong_address(settings)
    yield from _wrong_networks(settings)
    yield from _wrong_numbers(settings)
    names = [upstream.name for upstream in settings.upstream]
    for name in {name for name in names if names.count(name) > 1}:
        yield f"upstream: two are named {name!r}; give each its own name"
    for upstream in settings.upstream:
        yield from _wrong_upstream(upstream)
    for model in settings.model:
        if not model.to:
            yield f"model: {model.name!r} goes nowhere; give it `to` entries"
        for target in model.to:
            if target.upstream not in names:
                yield f"model: {model.name!r} goes to the upstream {target.upstream!r}, which is not defined"
            if not target.weight > 0:
                yield f"model: {model.name!r}: weights must be more than 0"


def _wrong_address(settings: GuardSettings) -> Iterator[str]:
    host, _, port = settings.listen.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        yield f"listen: {settings.listen!r} is no `host:port`; write for example `127.0.0.1:8040`"
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        yield "tls-certificate: needs tls-key, and the other way round"


def _wrong_networks(settings: GuardSettings) -> Iterator[str]:
    for key, networks in (("trusted-proxies", settings.trusted_proxies), ("admin-from", settings.admin_from)):
        for network in networks:
            try:
                ipaddress.ip_network(network)
            except ValueError:
                yield f"{key}: {network!r} is no network; write for example `10.0.0.0/8`"


def _wrong_numbers(settings: GuardSettings) -> Iterator[str]:
    structs = [("deadlines", settings.deadlines), ("bounds", settings.bounds)]
    for upstream in settings.upstream:
        structs += [("upstream", upstream), ("upstream.circuit", upstream.circuit), ("upstream.health", upstream.health)]
    for name, struct in structs:
        for field in msgspec.structs.fields(struct):
            value = getattr(struct, field.name)
            if isinstance(value, (int, float)) and not value > 0:  # written so that nan is refused too
                yield f"{name}.{field.encode_name}: must be more than 0"
    if settings.retries.most < 0 or settings.retries.most > 10:
        yield "retries.most: must be 0 to 10"
    if not 1 <= settings.workers <= 256:
        yield "workers: must be 1 to 256"


def _wrong_upstream(upstream: UpstreamSettings) -> Iterator[str]:
    for key, url, schemes in (("base-url", upstream.base_url, {"http", "https"}), ("proxy", upstream.proxy, {"http"})):
        if not (key == "proxy" and url in {"", "none"}) and not _is_address(url, schemes):
            yield f"upstream.{key}: {upstream.name!r} has no usable address there; write for example `http://127.0.0.1:8080/v1`"
    if "@" in upstream.base_url or "?" in upstream.base_url or "#" in upstream.base_url:
        yield f"upstream.base-url: {upstream.name!r}: no user, query or fragment; the key belongs in the variable key-env names"
    if upstream.key_env and not os.environ.get(upstream.key_env):
        yield f"upstream.key-env: {upstream.name!r} takes its key from ${upstream.key_env}, which is not set"


def _is_address(url: str, schemes: set[str]) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0 and url.isascii() and url.isprintable()
    except ValueError:
        return False
