"""What of a request is kept, and what happens when it cannot be."""

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import pytest

from hauberk.assets.chat import Role
from hauberk.core import Action, Confidence, Evidence, Finding, Gap, GapReason, Severity
from hauberk.guard.exchange import Exchange, Operation, Piece, Usage
from hauberk.guard.gateway.hooks import Decision, Record
from hauberk.guard.recorder import MOST_TEXTS, AuditRecorder, Bodies, Recording
from hauberk.guard.telemetry.metrics import MOST_MODELS, Metrics
from hauberk.guard.telemetry.traces import Traces
from hauberk.store.audit.entry import Entry
from hauberk.store.audit.errors import AuditRefused
from hauberk.store.audit.log import AuditLog, LogOptions
from hauberk.store.audit.segments import all_lines
from hauberk.store.audit.verify import public_key, verify

PROMPT = "my card is 4111 1111 1111 1111"
FINDING = Finding(
    "instruction-override", "message:messages/0", Severity.HIGH, Confidence.HIGH, "prompt-injection", "application", "message", "m",
    (Evidence(quote="secret quote", score=0.97),),
)  # fmt: skip


def record(**changes: object) -> Record:
    made = Record(
        request_id="r1",
        started=1767323045.0,
        route="/v1/chat/completions",
        address="192.0.2.1",
        key_id="k1",
        model="m",
        upstream="up",
        status=400,
        request=Decision(Action.BLOCK, findings=(FINDING,), gaps=(Gap("message:", GapReason.TIMEOUT, "late"),)),
        usage=Usage(10, 5),
        incident="inc-1",
        seconds=0.5,
        exchange=Exchange(Operation.CHAT, "m", {}, (Piece(PROMPT, Role.USER, ("messages", 0, "content")),)),
    )
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def entries(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line.data[65:]) for line in all_lines(str(folder))]


def test_regression_many_long_messages_made_an_entry_that_the_log_refused(tmp_path: Path) -> None:
    """Fifty messages of 8,192 Chinese characters are over a mebibyte: the request was then answered 503, and /readyz said no."""
    pieces = tuple(Piece("说" * 9_000, Role.USER, ("messages", n, "content")) for n in range(60))
    with AuditLog(str(tmp_path)) as log:
        recorder = AuditRecorder(log, Recording(Bodies.FULL))
        asyncio.run(recorder.finished(record(exchange=Exchange(Operation.CHAT, "m", {}, pieces), answer_text="\ud800" * 9_000)))
        assert recorder.ready()
    (made,) = entries(tmp_path)
    texts = cast("list[dict[str, Any]]", cast("dict[str, Any]", made["data"])["texts"])
    assert [text["characters"] for text in texts if "characters" in text] == [9_000] * 51
    assert "text" in texts[0]
    assert all("text" in text or text.get("cut") for text in texts if "characters" in text)
    assert "text" not in texts[-1]


@pytest.mark.parametrize("bodies", list(Bodies))
def test_what_is_kept_of_a_prompt(tmp_path: Path, bodies: Bodies) -> None:
    with AuditLog(str(tmp_path)) as log:
        recorder = AuditRecorder(
            log, Recording(bodies), key=b"k", masked=lambda text: text.replace("4111 1111 1111 1111", "[CARD_1]")
        )
        asyncio.run(recorder.finished(record()))
    text = json.dumps(entries(tmp_path))
    assert (PROMPT in text) is (bodies is Bodies.FULL)
    assert ("[CARD_1]" in text) is (bodies is Bodies.REDACTED)
    assert ("hmac" in text) is (bodies is Bodies.HASH)
    assert "secret quote" not in text
    assert entries(tmp_path)[0]["data"]["action"] == "block"  # type: ignore[index]
    assert verify(str(tmp_path), *public_key(str(tmp_path))).complete


def test_a_finished_request_is_on_disk(tmp_path: Path) -> None:
    async def run(recorder: AuditRecorder) -> int:
        await recorder.finished(record())
        return len(entries(tmp_path))

    with AuditLog(str(tmp_path)) as log:
        assert asyncio.run(run(AuditRecorder(log))) == 1


def test_lone_surrogates_do_not_lose_an_entry(tmp_path: Path) -> None:
    with AuditLog(str(tmp_path)) as log:
        asyncio.run(AuditRecorder(log).finished(record(model="bad \ud800 name")))
    assert len(entries(tmp_path)) == 1


def test_log_that_refuses_is_said_and_tried_again(tmp_path: Path) -> None:
    """A full queue stands for a full disk, which tests/store fills for real."""
    log = AuditLog(str(tmp_path), LogOptions())
    counted: list[int] = []
    recorder = AuditRecorder(log, refused=lambda: counted.append(1))
    log.close()
    assert recorder.ready()
    with pytest.raises(AuditRefused):
        asyncio.run(recorder.finished(record()))
    assert counted == [1]
    assert not recorder.ready()


@pytest.mark.parametrize("bodies", list(Bodies))
def test_what_is_kept_of_texts_is_the_same_when_they_are_let_go_before_the_end(tmp_path: Path, bodies: Bodies) -> None:
    pieces = tuple(Piece(f"{PROMPT} {number}", Role.USER, ("messages", number, "content")) for number in range(MOST_TEXTS + 3))
    kept: list[object] = []
    for early in (False, True):
        exchange = Exchange(Operation.CHAT, "m", {"messages": []}, pieces)
        made = record(exchange=exchange, answer_text="an answer")
        with AuditLog(str(tmp_path / str(early))) as log:
            recorder = AuditRecorder(log, Recording(bodies), key=b"k", masked=lambda text: text.replace("4111", "****"))
            if early:
                made.texts = recorder.texts(exchange)
                exchange.let_go()
                assert (exchange.body, exchange.pieces) == ({}, ())
            asyncio.run(recorder.finished(made))
        kept.append(entries(tmp_path / str(early))[0]["data"].get("texts"))
    assert kept[0] == kept[1]
    assert (kept[0] is None) == (bodies is Bodies.NONE)


def test_listeners_get_the_entry_that_was_kept(tmp_path: Path) -> None:
    seen: list[Entry] = []
    with AuditLog(str(tmp_path)) as log:
        asyncio.run(AuditRecorder(log, forward=(seen.append,)).finished(record()))
    assert [entry.seq for entry in seen] == [0]
    assert seen[0].data["incident"] == "inc-1"


def test_metrics_of_a_request() -> None:
    metrics = Metrics()
    metrics.record(record(stream=True, held=0.02, first_token=0.1))
    page = metrics.page().decode()
    assert 'hauberk_requests_total{model="m",route="/v1/chat/completions",status="400"} 1.0' in page
    assert 'hauberk_decisions_total{action="block",direction="input"} 1.0' in page
    assert 'hauberk_gaps_total{reason="timeout"} 1.0' in page
    assert 'gen_ai_client_token_usage_total{model="m",type="output"} 5.0' in page
    assert "hauberk_stream_hold_seconds_sum 0.02" in page


def test_invented_model_names_do_not_fill_the_memory() -> None:
    metrics = Metrics()
    for number in range(MOST_MODELS + 50):
        metrics.record(record(model=f"m{number}"))
    assert metrics.page().decode().count("hauberk_requests_total{") == MOST_MODELS + 1


def test_regression_names_that_no_upstream_was_asked_for_took_the_places_of_real_ones() -> None:
    metrics = Metrics()
    for number in range(MOST_MODELS + 1):
        metrics.record(record(model=f"guess{number}", upstream="", status=401))
        metrics.record(record(model=f"guess{number}", status=404))
    metrics.record(record(model="real", status=502))
    page = metrics.page().decode()
    assert "guess" not in page
    assert 'model="real"' in page


def test_span_follows_the_conventions_and_holds_no_text() -> None:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    traces = Traces(exporter)
    traces.record(record())
    traces.close()
    (span,) = exporter.get_finished_spans()
    assert span.name == "chat m"
    assert span.attributes
    assert span.attributes["gen_ai.usage.input_tokens"] == 10
    assert span.attributes["hauberk.request.action"] == "block"
    assert PROMPT not in span.to_json()
