"""A loopback server that speaks only through the dialects, for the official clients to talk to."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from hauberk.core import Action
from hauberk.guard.dialects.dialect import Dialect, EventStream, Refusal
from hauberk.guard.exchange import BadRequest, Edit
from hauberk.guard.gateway.hooks import Decision
from hauberk.guard.gateway.models import models_body
from hauberk.guard.gateway.routes import ROUTES, dialects
from hauberk.guard.stream.session import StreamSession

BLOCKED = Refusal(403, "content_blocked", "The answer was stopped by the content policy.", incident="inc_123")
FORBIDDEN = "FORBIDDEN"
DIALECTS = dialects()


class Masked:
    """Takes the word SECRET out, whole words only."""

    def __init__(self) -> None:
        self._rest = ""

    @property
    def held(self) -> int:
        return len(self._rest)

    def feed(self, text: str) -> str:
        head, space, self._rest = (self._rest + text).rpartition(" ")
        return (head + space).replace("SECRET", "[redacted]")

    def end(self) -> str:
        return self._rest.replace("SECRET", "[redacted]")


def judged(channel: str, text: str, *, final: bool, tool: str) -> Decision:
    return Decision(Action.BLOCK, refusal=BLOCKED) if FORBIDDEN in text else Decision()


async def guarded(stream: EventStream, chunks: Iterable[bytes]) -> list[bytes]:
    """What a gateway sends of an upstream's stream, by the rules of `hauberk.guard.dialects.dialect`."""
    session = StreamSession(judged, redactor=lambda channel: None if "/tool/" in channel else Masked())
    out: list[bytes] = []
    sent: dict[str, str] = {}
    deltas = [delta for chunk in chunks for delta in stream.feed(chunk)] + list(stream.close())
    for delta in deltas:
        releases = [await session.push(delta.channel, delta.text, delta.tool)] if delta.text or delta.tool else []
        releases += [await session.end(channel) for channel in delta.ends]
        for release in releases:
            for channel, text in release.texts:
                sent[channel] = sent.get(channel, "") + text
                out.append(stream.made(channel, text))
            if release.decision is not None and release.decision.refusal is not None:
                return [*out, stream.error(release.decision.refusal)]
        if delta.repeats:
            out.append(stream.restated(delta, sent))
        elif not delta.text:
            out.append(delta.raw)
    return out


class Upstream:
    """What the model says: a whole answer, or the chunks of a stream, by path."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.answers: dict[str, dict[str, Any]] = {}
        self.streams: dict[str, list[bytes]] = {}
        self.refusal: Refusal | None = None
        self.asked: list[dict[str, Any]] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: Upstream

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self._say(200, models_body(["m"]))

    def do_POST(self) -> None:
        dialect = DIALECTS[ROUTES[self.path].dialect]
        try:
            exchange = dialect.read(self.rfile.read(int(self.headers["content-length"])))
        except BadRequest as error:
            self._say(error.status, dialect.error(Refusal(error.status, error.code, str(error), param=error.param)))
            return
        self.upstream.asked.append(json.loads(dialect.write(exchange)))
        if self.upstream.refusal is not None:
            self._say(self.upstream.refusal.status, dialect.error(self.upstream.refusal))
        elif exchange.stream:
            self._stream(asyncio.run(guarded(dialect.stream(exchange), self.upstream.streams[self.path])))
        else:
            self._answer(dialect)

    def _answer(self, dialect: Dialect) -> None:
        answer = dialect.read_answer(json.dumps(self.upstream.answers[self.path]).encode())
        edits = [Edit(p.path, p.text.replace("SECRET", "[redacted]")) for p in answer.pieces if "SECRET" in p.text]
        self._say(200, dialect.write_answer(answer, edits))

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, parts: list[bytes]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for part in (part for part in parts if part):
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Upstream(server.server_port)
    server.RequestHandlerClass = type("Bound", (Handler,), {"upstream": made})
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()
