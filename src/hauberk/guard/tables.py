"""The tables of `[guard]` that belong to single parts, as written and checked."""

import os
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from hauberk.guard.gate import GateSettings, OnStale
from hauberk.guard.label import Labelling
from hauberk.guard.limits.anomaly import AnomalySettings
from hauberk.guard.limits.quota import Quota
from hauberk.guard.limits.settings import LimitSettings
from hauberk.guard.llm_judge import JudgeTable
from hauberk.guard.recorder import Bodies
from hauberk.guard.settings import GuardSettings
from hauberk.guard.stream.session import Limits
from hauberk.guard.table_checks import problems
from hauberk.policy.errors import PolicyError

T = TypeVar("T")


class KeyTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """`[guard.keys]`. Without a `store` no key is asked for."""

    store: str = ""
    pepper_env: str = ""  # the environment variable with a secret that keys are hashed with
    spending: str = ""  # file of what budgets have been spent; "" is beside the store
    anonymous: Quota | None = None  # for those who send no key; None: a key is needed
    on_stale: OnStale = OnStale.CLOSED
    stale_seconds: float = 60.0


class LimitTable(LimitSettings, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """`[guard.limits]`."""

    anomaly: AnomalySettings = AnomalySettings()


class DetectTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """`[guard.detect]`."""

    enabled: bool = True
    seconds: float = 10.0  # for one request or answer; what is not judged by then is a gap
    threads: int = 2
    interleave: bool = False  # datamarking inside delimited text
    ocr: bool = False  # read the text in images; needs the extra `ocr`
    canary: bool = False  # plant a canary in system prompts
    judge: JudgeTable = JudgeTable()
    canary_key_env: str = ""  # with it the same prompt gets the same canary, which keeps prefix caches useful


class AuditTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """`[guard.audit]`. Without a `folder` nothing is logged."""

    folder: str = ""
    bodies: Bodies = Bodies.HASH
    durable: bool = True  # an answer waits until its entry is on disk
    origin: str = "hauberk/audit"
    checkpoint_seconds: float = 60.0


class TelemetryTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """`[guard.telemetry]`. Addresses of whoever is told; "" tells nobody."""

    metrics: bool = True
    otlp: str = ""  # http://host:4318/v1/traces
    syslog: str = ""  # udp://, tcp:// or tls://host:port
    webhook: str = ""
    webhook_secret_env: str = ""
    ocsf: bool = True  # events for syslog and webhook in OCSF; else as they are logged


class ApprovalTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """`[guard.approvals]`. Without a `store` nobody is asked, and what should be asked about is blocked."""

    store: str = ""
    expiry: float = 120.0  # seconds
    most: int = 100


class Tables(msgspec.Struct, frozen=True):
    """All of them."""

    keys: KeyTable
    limits: LimitTable
    detect: DetectTable
    audit: AuditTable
    telemetry: TelemetryTable
    approvals: ApprovalTable
    stream: Limits
    label: Labelling

    @property
    def gate(self) -> GateSettings:
        """What the gate goes by."""
        return GateSettings(
            anonymous=self.keys.anonymous if self.keys.store else Quota(),
            on_stale=self.keys.on_stale,
            stale_seconds=self.keys.stale_seconds,
            limits=self.limits,
            anomaly=self.limits.anomaly,
        )


def tables_of(settings: GuardSettings) -> Tables:
    """The tables of `settings`. Raises PolicyError: one line with the key and what to do."""
    tables = Tables(
        keys=_read("keys", settings.keys, KeyTable),
        limits=_read("limits", settings.limits, LimitTable),
        detect=_read("detect", settings.detect, DetectTable),
        audit=_read("audit", settings.audit, AuditTable),
        telemetry=_read("telemetry", settings.telemetry, TelemetryTable),
        approvals=_read("approvals", settings.approvals, ApprovalTable),
        stream=_read("stream", settings.stream, Limits),
        label=_read("label", settings.label, Labelling),
    )
    for problem in problems(tables):
        raise PolicyError(problem)
    return tables


def secret_in(variable: str, key: str) -> bytes:
    """What the environment variable that `key` of the configuration names holds; b"" when it names none. Raises PolicyError."""
    if not variable:
        return b""
    secret = os.environ.get(variable, "")
    if not secret:
        raise PolicyError(f"guard.{key}: ${variable} is not set; put the secret there, or remove the key")
    return secret.encode()


def _read(name: str, table: Mapping[str, object], form: type[T]) -> T:
    try:
        if known := set(table) - {field.encode_name for field in msgspec.structs.fields(form)}:  # type: ignore[type-var]
            raise PolicyError(f"guard.{name}.{min(known)}: unknown key; remove it, or see docs/guard.md for those there are")
        return msgspec.convert(table, form)
    except (msgspec.ValidationError, ValueError) as error:
        if isinstance(error, PolicyError):
            raise
        raise PolicyError(f"guard.{name}: {error}; see docs/guard.md") from error
