"""What a type cannot say of the tables of `[guard]`: numbers out of range, addresses that are none, tables at odds."""

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import msgspec

if TYPE_CHECKING:
    from hauberk.guard.tables import Tables

_ZERO_TOO = frozenset(
    (
        "guard.keys.stale-seconds",
        "guard.limits.queue.size",
        "guard.limits.queue.per-tenant",
        "guard.limits.queue.wait",
        "guard.limits.prices.input",
        "guard.limits.prices.output",
        "guard.limits.prices.cached",
        "guard.limits.anomaly.learn-seconds",
        "guard.limits.anomaly.learn-requests",
        "guard.limits.anomaly.volume-floor",
        "guard.limits.anomaly.new-model-memory",
        "guard.limits.anomaly.quiet",
        "guard.stream.seconds",
        "guard.stream.context",
    )
)
_ORIGIN = re.compile(r"[^\s+]{1,200}")  # C2SP signed notes: a key's name has no spaces and no plus


def problems(tables: "Tables") -> Iterator[str]:
    """What is wrong, one line each with its key."""
    for name in ("keys", "limits", "detect", "audit", "approvals", "stream"):
        yield from _numbers(f"guard.{name}", getattr(tables, name))
    if tables.keys.anonymous is not None:
        yield from (f"guard.keys.anonymous: {said}" for said in tables.keys.anonymous.problems())
    yield from _addresses(tables)
    if not _ORIGIN.fullmatch(tables.audit.origin) or not tables.audit.origin.isprintable():
        yield "guard.audit.origin: must be a name without spaces and plus signs, for example gateway.example.org/audit"
    yield from _at_odds(tables)


def _numbers(name: str, struct: msgspec.Struct) -> Iterator[str]:
    for field in msgspec.structs.fields(struct):
        key, value = f"{name}.{field.encode_name}", cast("object", getattr(struct, field.name))
        if key == "guard.keys.anonymous":
            continue  # a quota knows itself what is wrong with it
        for one in cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,):
            if isinstance(one, msgspec.Struct):
                yield from _numbers(key, one)
            elif isinstance(one, int | float) and not isinstance(one, bool):
                yield from _number(key, one)


def _number(key: str, value: float) -> Iterator[str]:
    zero = key in _ZERO_TOO
    if not (value >= 0 if zero else value > 0) or math.isinf(value):  # written so that nan is refused too
        yield f"{key}: must be {'0 or more' if zero else 'more than 0'}"


def _addresses(tables: "Tables") -> Iterator[str]:
    telemetry = tables.telemetry
    http = ("http", "https")
    for key, url, schemes, sample in (
        ("limits.shared.url", tables.limits.shared.url, ("redis", "rediss", "unix"), "redis://127.0.0.1:6379/0"),
        ("telemetry.otlp", telemetry.otlp, http, "http://127.0.0.1:4318/v1/traces"),
        ("telemetry.webhook", telemetry.webhook, http, "https://siem.example.org/hook"),
        ("telemetry.syslog", telemetry.syslog, ("udp", "tcp", "tls"), "udp://127.0.0.1:514"),
    ):
        if url and not _usable(url, schemes):
            yield f"guard.{key}: is no address that can be used; write for example {sample}"


def _usable(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        place = parts.path if parts.scheme == "unix" else parts.hostname
        return parts.scheme in schemes and bool(place) and parts.port != 0 and url.isprintable()
    except ValueError:
        return False


def _at_odds(tables: "Tables") -> Iterator[str]:
    if tables.label.enabled and not tables.detect.enabled:
        yield "guard.label.enabled: answers are labelled where they are looked at, and guard.detect.enabled = false looks at none"
    for key in ("syslog", "webhook"):
        if getattr(tables.telemetry, key) and not tables.audit.folder:
            yield f"guard.telemetry.{key}: is sent what the audit log keeps, and none is kept; set guard.audit.folder"
