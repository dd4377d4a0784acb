"""Puts the parts of a gateway together as the settings say, and takes them apart again."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from hauberk.core import Kind
from hauberk.detect.errors import RuleError
from hauberk.guard.approvals import ApprovalQueue, SqliteLedger
from hauberk.guard.asking import Desk
from hauberk.guard.audit_key import text_key
from hauberk.guard.checker import Checker
from hauberk.guard.gatekeeping import Gatekeeping
from hauberk.guard.gateway.app import Parts
from hauberk.guard.gateway.hooks import Inspector
from hauberk.guard.gateway.open_hooks import OpenInspector
from hauberk.guard.inspector import CanaryOptions, InspectOptions, PolicyInspector
from hauberk.guard.keys import KeyStoreError
from hauberk.guard.labeller import Labeller
from hauberk.guard.llm_judge import JudgeError, LlmJudge
from hauberk.guard.ocr import ImageReader
from hauberk.guard.policy_table import check_names, message_policy, policy_table
from hauberk.guard.recorder import AuditRecorder, Bodies, Listener, Recording
from hauberk.guard.redact import PRIVATE_RISKS, Masker, finder, masked
from hauberk.guard.sessions import Sessions
from hauberk.guard.settings import GuardSettings
from hauberk.guard.tables import Tables, TelemetryTable, secret_in, tables_of
from hauberk.guard.telemetry.forward import Forwarder
from hauberk.guard.telemetry.metrics import CONTENT_TYPE, Metrics
from hauberk.policy.errors import PolicyError
from hauberk.rules.load import load_pack
from hauberk.store.audit.entry import Entry
from hauberk.store.audit.errors import AuditError, AuditInUse
from hauberk.store.audit.log import AuditLog, LogOptions

if TYPE_CHECKING:
    from hauberk.detect.learnt import Learnt
    from hauberk.detect.prompt import PromptJudge

MOST_WORKERS = 256


def checker_of(settings: GuardSettings) -> Checker:
    """The rules of this installation under the policy of `settings`. Raises PolicyError."""
    policy = message_policy(settings.policy, fail=settings.fail.value)
    try:
        checker = Checker(policy=policy, judge=_judge_of(settings), learnt=_learnt_of(settings))
    except RuleError as error:  # those that ship are proven; the approved ones come from a file
        raise PolicyError(f"guard.learnt: {' '.join(str(error).split())[:300]}") from error
    check_names(policy, checker.rule_ids, load_pack().taxonomy["risks"])
    return checker


def _learnt_of(settings: GuardSettings) -> "Learnt | None":
    """What `hauberk probe learn` made of attacks that got through, if a folder of it is named."""
    if not settings.learnt:
        return None
    from hauberk.detect.learnt import LearntFileError, read_folder

    try:
        return read_folder(settings.learnt)
    except LearntFileError as error:
        raise PolicyError(f"guard.learnt: {error}") from error


def _judge_of(settings: GuardSettings) -> "PromptJudge | None":
    """The shipped models with a language model behind them, if one is set: asked between the scores that flag and block."""
    table = tables_of(settings).detect.judge
    if not table.url:
        return None
    from hauberk.detect.prompt import PromptJudge

    rates = policy_table(settings.policy)
    try:
        third = LlmJudge(table)
    except JudgeError as error:
        raise PolicyError(str(error)) from error
    return PromptJudge(third=third, unsure=(rates.flag_rate, rates.block_rate))


class Assembly:
    """Makes the parts of one worker process for each set of settings. The audit log is opened once and outlives a reload."""

    def __init__(self) -> None:
        self._logs: dict[str, AuditLog] = {}
        self._users = 0
        self._metrics = Metrics()
        self._gates: list[Gatekeeping] = []
        self._reader: ImageReader | None = None

    def make(self, settings: GuardSettings, former: Parts | None = None) -> Parts:
        """The parts for `settings`. Raises PolicyError when something named in them cannot be used."""
        tables = tables_of(settings)
        making = _Making(self, settings, tables)
        try:
            recorder = making.recorder()
            inspector = making.inspector(recorder)
            gate = making.gatekeeping(recorder, self._gatekeeping_of(former))
        except (AuditError, KeyStoreError, OSError, ValueError, sqlite3.Error) as error:
            making.stack.close()
            if isinstance(error, PolicyError):
                raise
            raise PolicyError(str(error)) from error
        self._users += 1
        self._gates = [*(known for known in self._gates if known.used and known is not gate), gate]
        page = (lambda: (self._metrics.page(), CONTENT_TYPE)) if tables.telemetry.metrics else None
        return Parts(gate.gate, inspector, recorder, page, recorder.ready, making.start, making.stop)

    def _gatekeeping_of(self, parts: Parts | None) -> Gatekeeping | None:
        return next((known for known in self._gates if parts is not None and known.gate is parts.gate), None)

    def reader(self) -> ImageReader:
        """The reader of images, loaded once. Raises OcrMissing."""
        if self._reader is None:
            self._reader = ImageReader()
        return self._reader

    def metrics(self) -> Metrics:
        """Those of this process; they go on counting over a reload."""
        return self._metrics

    def log(self, tables: Tables, *, shared: bool) -> AuditLog | None:
        """The audit log; with several workers each takes the first folder `worker-1`, `worker-2`, ... that nobody writes."""
        if not tables.audit.folder:
            return None
        known = self._logs.get(tables.audit.folder)
        if known is None:
            options = LogOptions(origin=tables.audit.origin, checkpoint_seconds=tables.audit.checkpoint_seconds)
            known = _own_log(tables.audit.folder, options) if shared else AuditLog(tables.audit.folder, options)
            self._logs[tables.audit.folder] = known
        return known

    def released(self) -> None:
        """One set of parts has stopped; with the last of them the logs get their last checkpoint and are closed."""
        self._users -= 1
        if self._users == 0:
            for log in self._logs.values():
                log.close()
            self._logs.clear()


def _own_log(folder: str, options: LogOptions) -> AuditLog:
    for number in range(1, MOST_WORKERS + 1):
        try:
            return AuditLog(os.path.join(folder, f"worker-{number}"), options)
        except AuditInUse:
            continue
    raise AuditError(f"{folder}: {MOST_WORKERS} workers write here already")


class _Making:
    """One set of parts, with what must be started and stopped with it."""

    def __init__(self, assembly: Assembly, settings: GuardSettings, tables: Tables) -> None:
        self.stack = ExitStack()
        self._assembly = assembly
        self._settings = settings
        self._tables = tables
        self._starts: list[Callable[[asyncio.AbstractEventLoop], None]] = []

    async def start(self) -> None:
        """Called in the loop that serves."""
        loop = asyncio.get_running_loop()
        for start in self._starts:
            start(loop)

    async def stop(self) -> None:
        """Ends threads and connections; the last stop closes the audit log."""
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self.stack.close()
        self._assembly.released()

    def gatekeeping(self, recorder: AuditRecorder, former: Gatekeeping | None) -> Gatekeeping:
        """Keys, budgets and limits: the former ones, with what they have counted, if their settings are still the same."""
        made = former if former is not None and former.serves(self._tables) else Gatekeeping(self._tables, recorder)
        if former is not None and made is not former:
            made.follow(former)
        made.enter()
        self.stack.callback(made.leave)
        self._starts += [made.start, partial(_tell, made, recorder)]
        return made

    def inspector(self, recorder: AuditRecorder) -> Inspector:
        """The detectors and the policy."""
        settings, tables = self._settings, self._tables
        if not tables.detect.enabled:
            return OpenInspector()
        checker = checker_of(settings)
        label = Labeller(tables.label) if tables.label.enabled else None
        key = secret_in(tables.detect.canary_key_env, "detect.canary-key-env")
        inspector = PolicyInspector(
            checker,
            InspectOptions(tables.detect.seconds, tables.detect.threads, tables.detect.interleave),
            approver=self._desk(recorder),
            label=label,
            canary=CanaryOptions(key, stable=bool(key)) if tables.detect.canary else None,
            reader=self._assembly.reader() if tables.detect.ocr else None,
        )
        inspector.stream_with(Sessions(tables.stream, label.wrap if label else None))
        self.stack.callback(inspector.close)
        return inspector

    def _desk(self, recorder: AuditRecorder) -> Desk | None:
        table, gauge = self._tables.approvals, self._assembly.metrics().waiting
        if not table.store:
            gauge.set_function(lambda: 0.0)
            return None
        ledger = SqliteLedger(table.store)
        self.stack.callback(ledger.close)
        gauge.set_function(lambda: _waiting(ledger))
        return Desk(ApprovalQueue(ledger, expiry=table.expiry, most=table.most), recorder.event_soon)

    def recorder(self) -> AuditRecorder:
        """Audit log, metrics, traces, and who is told."""
        tables, metrics = self._tables, self._assembly.metrics()
        log = self._assembly.log(tables, shared=self._settings.workers > 1)
        listeners: list[Listener] = [metrics] if tables.telemetry.metrics else []
        if tables.telemetry.otlp:
            from hauberk.guard.telemetry.traces import Traces, otlp

            traces = Traces(otlp(tables.telemetry.otlp))
            self.stack.callback(traces.close)
            listeners.append(traces)
        return AuditRecorder(
            log,
            Recording(tables.audit.bodies, tables.audit.durable),
            key=text_key(tables.audit.folder) if tables.audit.folder else b"",
            masked=_masker() if tables.audit.bodies is Bodies.REDACTED else _withheld,
            listeners=listeners,
            forward=self._forwards(tables.telemetry),
            refused=metrics.audit_refused,
        )

    def _forwards(self, telemetry: TelemetryTable) -> list[Callable[[Entry], None]]:
        from hauberk.guard.telemetry.syslog import Syslog
        from hauberk.guard.telemetry.webhook import Webhook

        senders: list[Syslog | Webhook] = []
        if telemetry.syslog:
            senders.append(Syslog(telemetry.syslog))
        if telemetry.webhook:
            senders.append(Webhook(telemetry.webhook, secret_in(telemetry.webhook_secret_env, "telemetry.webhook-secret-env")))
        made: list[Callable[[Entry], None]] = []
        for sender in senders:
            forwarder = Forwarder(sender, dropped=self._assembly.metrics().events_lost)
            self.stack.callback(forwarder.close)
            made.append(_Forward(forwarder, ocsf=telemetry.ocsf))
        return made


def _tell(gate: Gatekeeping, recorder: AuditRecorder, loop: asyncio.AbstractEventLoop) -> None:
    del loop
    gate.tell(recorder)


def _waiting(ledger: SqliteLedger) -> float:
    try:
        return float(len(ledger.pending(time.time())))
    except sqlite3.Error:
        return float("nan")


class _Forward:
    """Hands kept entries to a forwarder, in the form its receiver wants."""

    def __init__(self, forwarder: Forwarder, *, ocsf: bool) -> None:
        self._forwarder = forwarder
        self._ocsf = ocsf

    def __call__(self, entry: Entry) -> None:
        from hauberk.guard.telemetry.ocsf import event_of

        self._forwarder.put(msgspec.json.encode(event_of(entry) if self._ocsf else entry))


def _withheld(text: str) -> str:
    del text  # no text is kept but under `redacted`: were one asked for, it would be none
    return ""


def _masker() -> Callable[[str], str]:
    """Masks personal data and credentials in texts that the log keeps."""
    from hauberk.detect import Bench
    from hauberk.rules.load import load_pack

    private = [rule for rule in load_pack().rules if rule.risk in PRIVATE_RISKS and Kind.MESSAGE in rule.reads]
    find = finder(Bench(private))
    return lambda text: masked(text, find(text), Masker())
