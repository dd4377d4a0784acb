"""Takes every finished request to the audit log, the metrics, the traces and whoever listens."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from enum import StrEnum
from typing import Protocol, cast

import msgspec

from hauberk.core import Action
from hauberk.core.wellformed import well_formed
from hauberk.guard.exchange import Exchange
from hauberk.guard.gateway.hooks import Decision, Record
from hauberk.store.audit.entry import Entry
from hauberk.store.audit.errors import AuditRefused
from hauberk.store.audit.log import AuditLog, Receipt

LONGEST_TEXT = 8192  # characters of a text that is kept
MOST_TEXTS = 50
MOST_KEPT = 512 << 10  # bytes of JSON that the texts of a request may take: half of what an entry may be


class Bodies(StrEnum):
    """What the log keeps of prompts and answers."""

    NONE = "none"
    HASH = "hash"  # HMAC-SHA-256 under the log's own key: equal texts are recognised, short ones are not guessed
    REDACTED = "redacted"  # with secrets and personal data masked
    FULL = "full"


class Listener(Protocol):
    """Takes finished requests: metrics, traces."""

    def record(self, record: Record) -> None: ...


class Recording(msgspec.Struct, frozen=True):
    """How requests are recorded. `durable`: the client's answer waits for the entry to be on disk."""

    bodies: Bodies = Bodies.HASH
    durable: bool = True


class AuditRecorder:
    """Implements the gateway's Recorder, and takes admin events."""

    def __init__(
        self,
        log: AuditLog | None,
        recording: Recording | None = None,
        *,
        key: bytes = b"",
        masked: Callable[[str], str] = lambda _text: "",
        listeners: Sequence[Listener] = (),
        forward: Sequence[Callable[[Entry], None]] = (),
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        """`key`: for the hashes of texts; `masked`: redacts a text for `Bodies.REDACTED`; `forward`: get each entry kept."""
        self._log = log
        self._recording = recording or Recording()
        self._key = key
        self._masked = masked
        self._listeners = tuple(listeners)
        self._forward = tuple(forward)
        self._refused = refused
        self._refusing = False
        self._next_try = 0.0

    def texts(self, exchange: Exchange) -> list[dict[str, object]]:
        """What is kept of the request's texts."""
        if self._recording.bodies is Bodies.NONE:
            return []
        pieces = exchange.pieces
        kept = [self._kept(piece.role.value, piece.text) for piece in pieces[:MOST_TEXTS]]
        if len(pieces) > MOST_TEXTS:
            kept.append({"left_out": len(pieces) - MOST_TEXTS})
        return kept

    async def finished(self, record: Record) -> None:
        """Records one request. Raises AuditRefused when the log must have it and cannot take it."""
        for listener in self._listeners:
            listener.record(record)
        await self.event("request", self._data(record))

    async def event(self, kind: str, data: Mapping[str, object]) -> None:
        """Records an entry of any type; returns when it is on disk, if recording is durable. Raises AuditRefused."""
        if self._log is None:
            return
        future = self._log.append(kind, well_formed(dict(data)))
        future.add_done_callback(self._written)
        if self._recording.durable:
            await asyncio.wrap_future(future)

    def event_now(self, kind: str, data: Mapping[str, object], seconds: float = 10.0) -> None:
        """As `event`, for callers in other threads: waits. Raises AuditRefused, TimeoutError."""
        if self._log is not None:
            self._log.append(kind, well_formed(dict(data))).result(seconds)

    def event_soon(self, kind: str, data: Mapping[str, object]) -> None:
        """As `event`, for callers that do not wait."""
        if self._log is not None:
            self._log.append(kind, well_formed(dict(data))).add_done_callback(self._written)

    def ready(self) -> bool:
        """Whether entries are taken. While they are not, one entry a second tries again."""
        if not self._refusing:
            return True
        if time.monotonic() >= self._next_try:
            self._next_try = time.monotonic() + 1.0
            self.event_soon("log", {"event": "trying-again"})
        return False

    def _written(self, done: "Future[Receipt]") -> None:
        error = done.exception()
        self._refusing = isinstance(error, AuditRefused)
        if error is not None:
            self._refused()
            return
        for forward in self._forward:
            forward(done.result().entry)

    def _data(self, record: Record) -> dict[str, object]:
        decisions = [("request", record.request), ("response", record.response)]
        action = max((d.action for _, d in decisions if d), default=Action.ALLOW)
        data: dict[str, object] = {
            "request_id": record.request_id,
            "route": record.route,
            "address": record.address,
            "key_id": record.key_id,
            "key_name": record.key_name,
            "tenant": record.tenant,
            "model": record.model,
            "upstream": record.upstream,
            "stream": record.stream,
            "status": record.status,
            "action": Action(action).name.lower(),
            "findings": [f for name, d in decisions if d for f in _findings(name, d)],
            "gaps": [{"side": name, "reason": g.reason.value, "note": g.note} for name, d in decisions if d for g in d.gaps[:100]],
            "usage": {"input": record.usage.input, "output": record.usage.output},
            "seconds": round(record.seconds, 6),
            "held": round(record.held, 6),
        }
        for name in ("incident", "error"):
            if getattr(record, name):
                data[name] = getattr(record, name)
        if self._recording.bodies is not Bodies.NONE:
            data["texts"] = self._all_texts(record)
        return data

    def _all_texts(self, record: Record) -> list[dict[str, object]]:
        asked = cast("list[dict[str, object]] | None", record.texts)
        if asked is None:
            asked = self.texts(record.exchange) if record.exchange else []
        return _bounded([*asked, self._kept("answer", record.answer_text)] if record.answer_text else asked)

    def _kept(self, role: str, text: str) -> dict[str, object]:
        kept: dict[str, object] = {"role": role, "characters": len(text)}
        if self._recording.bodies is Bodies.HASH:
            kept["hmac"] = hmac.new(self._key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
            return kept
        shown = text if self._recording.bodies is Bodies.FULL else self._masked(text)
        kept["text"] = shown[:LONGEST_TEXT]
        if len(shown) > LONGEST_TEXT:
            kept["cut"] = True
        return kept


def _bounded(texts: list[dict[str, object]]) -> list[dict[str, object]]:
    """`texts`, those beyond `MOST_KEPT` without their words: too large an entry would be refused, and the request with it."""
    kept: list[dict[str, object]] = []
    room = MOST_KEPT
    for text in texts:
        room -= len(msgspec.json.encode(well_formed(text)))
        kept.append(text if room >= 0 else {name: value for name, value in text.items() if name != "text"} | {"cut": True})
    return kept


def _findings(side: str, decision: Decision) -> list[dict[str, object]]:
    return [
        {
            "side": side,
            "rule": finding.rule,
            "risk": finding.risk,
            "severity": finding.severity.value,
            "where": finding.asset,
            "score": max((e.score for e in finding.evidence if e.score is not None), default=None),
        }
        for finding in decision.findings[:100]
    ]
