"""Puts the parts of a gateway together as the settings say, and takes them apart again."""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import msgspec

from hauberk.core import Kind
from hauberk.guard.approvals import ApprovalQueue, SqliteLedger
from hauberk.guard.asking import Desk
from hauberk.guard.audit_key import text_key
from hauberk.guard.checker import Checker
from hauberk.guard.gate import KeyGate
from hauberk.guard.gateway.app import Parts
from hauberk.guard.gateway.hooks import Inspector, Record
from hauberk.guard.gateway.open_hooks import OpenInspector
from hauberk.guard.inspector import CanaryOptions, InspectOptions, PolicyInspector
from hauberk.guard.keyless import EmptyStore, Keyless
from hauberk.guard.keys import AdminEvent, KeyAdmin, KeyRing, KeyStoreError, SqliteKeyStore
from hauberk.guard.labeller import Labeller
from hauberk.guard.limits.anomaly import Alarm
from hauberk.guard.limits.ledger import Ledger
from hauberk.guard.limits.limiter import Limiter
from hauberk.guard.limits.shared.replica import Replica
from hauberk.guard.limits.turnstile import Turnstile
from hauberk.guard.policy_table import message_policy
from hauberk.guard.recorder import AuditRecorder, Listener, Recording
from hauberk.guard.redact import Masker, finder, masked
from hauberk.guard.sessions import Sessions, redacts
from hauberk.guard.settings import GuardSettings
from hauberk.guard.tables import Tables, TelemetryTable, tables_of
from hauberk.guard.telemetry.forward import Forwarder
from hauberk.guard.telemetry.metrics import CONTENT_TYPE, Metrics
from hauberk.policy.errors import PolicyError
from hauberk.store.audit.entry import Entry
from hauberk.store.audit.errors import AuditError
from hauberk.store.audit.log import AuditLog, LogOptions

PRIVATE_RISKS = ("sensitive-information", "credential-exposure")


def checker_of(settings: GuardSettings) -> Checker:
    """The rules of this installation under the policy of `settings`. Raises PolicyError."""
    return Checker(policy=message_policy(settings.policy, fail=settings.fail.value))


class Assembly:
    """The parts of one worker process, made anew for each set of settings; what holds files and threads is carried on."""

    def __init__(self, worker: str = "") -> None:
        """`worker`: name of this process among those that share the settings; each keeps its own audit log."""
        self._worker = worker
        self._stack = ExitStack()
        self._log: tuple[str, AuditLog] | None = None
        self._metrics = Metrics()

    def make(self, settings: GuardSettings, former: Parts | None = None) -> Parts:
        """The parts for `settings`. Raises PolicyError when something named in them cannot be used."""
        del former
        tables = tables_of(settings)
        try:
            recorder = self._recorder(tables)
            gate = self._gate(tables, recorder)
            inspector = self._inspector(settings, tables)
        except (AuditError, KeyStoreError, OSError, ValueError) as error:
            if isinstance(error, PolicyError):
                raise
            raise PolicyError(str(error)) from error
        page = (lambda: (self._metrics.page(), CONTENT_TYPE)) if tables.telemetry.metrics else None
        return Parts(gate, inspector, recorder, page, recorder.ready)

    def close(self) -> None:
        """Signs the log's last checkpoint and lets files and threads go."""
        self._stack.close()

    def _inspector(self, settings: GuardSettings, tables: Tables) -> Inspector:
        if not tables.detect.enabled:
            return OpenInspector()
        checker = checker_of(settings)
        label = Labeller(tables.label) if tables.label.enabled else None
        key = os.environ.get(tables.detect.canary_key_env, "").encode() if tables.detect.canary_key_env else b""
        inspector = PolicyInspector(
            checker,
            InspectOptions(tables.detect.seconds, tables.detect.threads, tables.detect.interleave),
            approver=self._desk(tables),
            label=label,
            canary=CanaryOptions(key, stable=bool(key)) if tables.detect.canary else None,
        )
        find = finder(checker.bench, redacts(inspector))
        inspector.stream_with(Sessions(find, tables.stream, label.wrap if label else None))
        self._stack.callback(inspector.close)
        return inspector

    def _desk(self, tables: Tables) -> Desk | None:
        if not tables.approvals.store:
            return None
        ledger = SqliteLedger(tables.approvals.store)
        return Desk(ApprovalQueue(ledger, expiry=tables.approvals.expiry, most=tables.approvals.most))

    def _recorder(self, tables: Tables) -> AuditRecorder:
        log = self._audit_log(tables)
        listeners: list[Listener] = [_Counted(self._metrics)] if tables.telemetry.metrics else []
        if tables.telemetry.otlp:
            from hauberk.guard.telemetry.traces import Traces, otlp

            traces = Traces(otlp(tables.telemetry.otlp))
            self._stack.callback(traces.close)
            listeners.append(traces)
        return AuditRecorder(
            log,
            Recording(tables.audit.bodies, tables.audit.durable),
            key=text_key(tables.audit.folder) if tables.audit.folder else b"",
            masked=_masker(),
            listeners=listeners,
            forward=self._forwards(tables.telemetry),
            refused=self._metrics.audit_refused,
        )

    def _audit_log(self, tables: Tables) -> AuditLog | None:
        if not tables.audit.folder:
            return None
        folder = os.path.join(tables.audit.folder, self._worker) if self._worker else tables.audit.folder
        if self._log is None or self._log[0] != folder:
            options = LogOptions(origin=tables.audit.origin, checkpoint_seconds=tables.audit.checkpoint_seconds)
            self._log = (folder, AuditLog(folder, options))
            self._stack.callback(self._log[1].close)
        return self._log[1]

    def _forwards(self, telemetry: TelemetryTable) -> list[Callable[[Entry], None]]:
        from hauberk.guard.telemetry.syslog import Syslog
        from hauberk.guard.telemetry.webhook import Webhook

        senders: list[Syslog | Webhook] = []
        if telemetry.syslog:
            senders.append(Syslog(telemetry.syslog))
        if telemetry.webhook:
            secret = os.environ.get(telemetry.webhook_secret_env, "") if telemetry.webhook_secret_env else ""
            senders.append(Webhook(telemetry.webhook, secret.encode()))
        made: list[Callable[[Entry], None]] = []
        for sender in senders:
            forwarder = Forwarder(sender)
            self._stack.callback(forwarder.close)
            made.append(_Forward(forwarder, ocsf=telemetry.ocsf))
        return made

    def _gate(self, tables: Tables, recorder: AuditRecorder) -> KeyGate | Keyless:
        store = SqliteKeyStore(tables.keys.store) if tables.keys.store else EmptyStore()
        pepper = os.environ.get(tables.keys.pepper_env, "").encode() if tables.keys.pepper_env else b""
        ring = KeyRing(store, pepper)
        spending = tables.keys.spending or (f"{tables.keys.store}.spent" if tables.keys.store else None)
        ledger = Ledger(spending, time.time)
        replica = Replica(tables.limits.shared, tables.limits.window) if tables.limits.shared.url else None
        turnstile = Turnstile(Limiter(tables.limits, ledger, replica.make if replica else None))
        admin = KeyAdmin(ring, lambda event: recorder.event_soon("key", told(event)))
        gate = KeyGate(tables.gate, ring, turnstile, admin=admin, alarm=lambda alarm: recorder.event_soon("anomaly", _alarm(alarm)))
        if replica:
            self._share(replica, turnstile, admin)
        return gate if tables.keys.store else Keyless(gate)

    def _share(self, replica: Replica, turnstile: Turnstile, admin: KeyAdmin) -> None:
        """Starts the thread that talks to Redis; what it brings wakes the queue in the loop that serves."""

        def changed() -> None:
            if loop is not None and not loop.is_closed():
                loop.call_soon_threadsafe(turnstile.wake)

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        replica.changed = changed
        del admin
        replica.start()
        self._stack.callback(replica.stop)


class _Counted:
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def record(self, record: Record) -> None:
        self._metrics.record(record)


class _Forward:
    """Hands kept entries to a forwarder, in the form its receiver wants."""

    def __init__(self, forwarder: Forwarder, *, ocsf: bool) -> None:
        self._forwarder = forwarder
        self._ocsf = ocsf

    def __call__(self, entry: Entry) -> None:
        from hauberk.guard.telemetry.ocsf import event_of

        self._forwarder.put(msgspec.json.encode(event_of(entry) if self._ocsf else entry))


def told(event: AdminEvent) -> dict[str, object]:
    """A change of a key as the audit log keeps it."""
    data = msgspec.to_builtins(event, builtin_types=())
    return {"event": data.pop("action"), **data}


def _alarm(alarm: Alarm) -> dict[str, object]:
    return {"event": str(alarm.signal), **msgspec.to_builtins(alarm)}


def _masker() -> Callable[[str], str]:
    """Masks personal data and credentials in texts that the log keeps."""
    from hauberk.detect import Bench
    from hauberk.rules.load import load_pack

    private = [rule for rule in load_pack().rules if rule.risk in PRIVATE_RISKS and Kind.MESSAGE in rule.reads]
    find = finder(Bench(private))
    return lambda text: masked(text, find(text), Masker())


def default_folder(name: str) -> str:
    """A place for `name` among the guard's own files."""
    from hauberk.guard.places import state_folder

    return os.fspath(Path(state_folder()) / name)
