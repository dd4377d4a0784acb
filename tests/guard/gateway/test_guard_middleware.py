import asyncio
import json
from typing import Any

import pytest
from gateway_harness import ANSWER, STREAM

from hauberk.core import Action
from hauberk.guard.dialects.dialect import Refusal
from hauberk.guard.exchange import Answer, Edit, Exchange
from hauberk.guard.gateway.hooks import Decision, Release
from hauberk.guard.gateway.middleware import GuardMiddleware
from hauberk.guard.gateway.open_hooks import OpenInspector, OpenSession

BLOCK = Decision(Action.BLOCK, refusal=Refusal(403, "content_blocked", "No.", incident="inc-1"))
BODY = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


class WordInspector(OpenInspector):
    """Blocks what holds BAD, and edits what holds EDIT."""

    async def request(self, exchange: Exchange) -> Decision:
        return self._of(exchange.pieces)

    async def answer(self, _exchange: Exchange, answer: Answer) -> Decision:
        return self._of(answer.pieces)

    def session(self, _exchange: Exchange) -> OpenSession:
        return WordSession()

    def _of(self, pieces: Any) -> Decision:
        text = " ".join(piece.text for piece in pieces)
        if "RAISE" in text:
            raise RuntimeError("detector")
        edits = tuple(Edit(piece.path, piece.text.replace("EDIT", "***")) for piece in pieces if "EDIT" in piece.text)
        return BLOCK if "BAD" in text else Decision(edits=edits)


class WordSession(OpenSession):
    async def push(self, channel: str, text: str, tool: str = "") -> Release:
        del tool
        return Release((), BLOCK) if "word7" in text else Release(((channel, text),))


class Application:
    """Answers with what it is given; keeps the bodies it saw."""

    def __init__(self, pieces: list[bytes], kind: bytes = b"application/json") -> None:
        self.pieces, self.kind = pieces, kind
        self.seen: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        self.seen.append({"headers": dict(scope["headers"]), "body": message["body"]})
        length = str(sum(map(len, self.pieces))).encode()
        headers = [(b"content-type", self.kind), (b"content-length", length), (b"x-mine", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for piece in self.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def ask(app: Application, body: object, path: str = "/v1/chat/completions", *, closed: bool = True) -> tuple[int, dict, bytes]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    parts = [data[:5], data[5:]]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"content-length", str(len(data)).encode())]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    asyncio.run(GuardMiddleware(app, WordInspector(), closed=closed)(scope, receive, send))
    assert [m["type"] for m in sent].count("http.response.start") == 1
    assert not sent[-1]["more_body"]
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(m.get("body", b"") for m in sent)


def test_good_requests_and_answers_pass() -> None:
    app = Application([ANSWER[:9], ANSWER[9:]])
    status, headers, body = ask(app, BODY)
    assert (status, body, headers[b"x-mine"]) == (200, ANSWER, b"1")
    assert json.loads(app.seen[0]["body"])["messages"] == BODY["messages"]
    assert app.seen[0]["headers"][b"content-length"] == str(len(app.seen[0]["body"])).encode()


def test_requests_are_blocked_before_the_application_sees_them() -> None:
    app = Application([ANSWER])
    status, _, body = ask(app, {**BODY, "messages": [{"role": "user", "content": "BAD"}]})
    assert (status, json.loads(body)["error"]["code"]) == (403, "content_blocked")
    assert not app.seen


def test_requests_and_answers_are_edited() -> None:
    app = Application([ANSWER.replace(b"good day", b"an EDIT")])
    _, headers, body = ask(app, {**BODY, "messages": [{"role": "user", "content": "to EDIT"}]})
    assert b"to ***" in app.seen[0]["body"]
    assert b"an ***" in body
    assert headers[b"content-length"] == str(len(body)).encode()


def test_answers_are_blocked() -> None:
    status, headers, body = ask(Application([ANSWER.replace(b"good day", b"BAD")]), BODY)
    assert status == 403
    assert b"BAD" not in body
    assert headers[b"content-length"] == str(len(body)).encode()


def test_streams_pass_or_are_broken_off() -> None:
    app = Application(STREAM[:7] + STREAM[20:], b"text/event-stream")
    assert ask(app, {**BODY, "stream": True})[2] == b"".join(app.pieces)
    _, headers, body = ask(Application(STREAM, b"text/event-stream"), {**BODY, "stream": True})
    assert b"content-length" not in headers
    assert b"word6" in body
    assert b"word7" not in body
    assert b"content_blocked" in body
    assert body.endswith(b"data: [DONE]\n\n")


class HeldSession(OpenSession):
    """Holds a text until it is due."""

    def __init__(self) -> None:
        self.held: list[tuple[str, str]] = []

    async def push(self, channel: str, text: str, tool: str = "") -> Release:
        del tool
        self.held.append((channel, text))
        return Release()

    def due(self) -> float | None:
        return 0.01 if self.held else None

    async def tick(self) -> Release:
        held, self.held = self.held, []
        return Release((), BLOCK) if "BAD" in held[0][1] else Release(tuple(held))


class HoldingInspector(OpenInspector):
    def session(self, _exchange: Exchange) -> OpenSession:
        return HeldSession()


@pytest.mark.parametrize("word", ["good", "BAD"])
def test_a_stream_is_let_go_while_the_application_says_nothing(word: str) -> None:
    """Regression: what was held back waited for the application's next event, however long that took."""
    sent: list[bytes] = []
    said = asyncio.Event()
    chunk = {"id": "c", "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]}

    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        body = b"data: " + json.dumps(chunk).encode() + b"\n\n"
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await asyncio.wait_for(said.wait(), 10)
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n", "more_body": False})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps({**BODY, "stream": True}).encode(), "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            sent.append(message["body"])
            said.set()

    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": []}
    asyncio.run(GuardMiddleware(application, HoldingInspector())(scope, receive, send))
    assert (word.encode() in sent[0]) == (word == "good")
    assert (b"content_blocked" in sent[0]) == (word == "BAD")
    assert sent[-1].endswith(b"data: [DONE]\n\n")
    assert len(sent) == (2 if word == "good" else 1)


@pytest.mark.parametrize(("closed", "expected"), [(True, 400), (False, 200)])
def test_what_cannot_be_judged(closed: bool, expected: int) -> None:  # noqa: FBT001 - a parameter of the test
    body = {**BODY, "messages": [{"role": "user", "content": "RAISE"}]}
    status, _, said = ask(Application([ANSWER]), body, closed=closed)
    assert status == expected
    assert (b"content_unchecked" in said) == closed  # 400: nobody's SDK sends it again by itself
    assert ask(Application([ANSWER.replace(b"good day", b"RAISE")]), BODY, closed=closed)[0] == expected


def test_bad_json_and_broken_answers() -> None:
    assert ask(Application([ANSWER]), b"{nonsense")[0] == 400
    assert ask(Application([b"<html>"]), BODY)[0] == 502


def test_other_paths_pass_untouched() -> None:
    assert ask(Application([b"BAD"]), b"BAD ABOUT", "/other") == (
        200,
        {b"content-type": b"application/json", b"content-length": b"3", b"x-mine": b"1"},
        b"BAD",
    )
