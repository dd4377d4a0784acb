"""A real gateway in a thread, in front of an upstream that does what a script says, byte for byte."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable

from hauberk.guard.dialects.dialect import Refusal
from hauberk.guard.exchange import Exchange, Usage
from hauberk.guard.gateway.app import Gateway, Parts
from hauberk.guard.gateway.hooks import Caller, Grant, Inspector, Record
from hauberk.guard.gateway.open_hooks import OpenGate, OpenInspector
from hauberk.guard.gateway.server import GatewayServer, listening_socket
from hauberk.guard.settings import guard_settings

Script = Callable[[socket.socket, bytes], None]

ANSWER = json.dumps(
    {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "good day"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }
).encode()


def chunk(text: str | None, finish: str | None = None) -> bytes:
    delta = {} if text is None else {"content": text}
    event = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    event["choices"] = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return b"data: " + json.dumps(event, separators=(",", ":")).encode() + b"\n\n"


STREAM = [*(chunk(f"word{i} ") for i in range(20)), chunk(None, "stop"), b"data: [DONE]\n\n"]


def http_answer(body: bytes, status: str = "200 OK", kind: str = "application/json", extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


EVENTS_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def chunked(*pieces: bytes, end: bool = True) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + (b"0\r\n\r\n" if end else b"")


def good(conn: socket.socket, request: bytes) -> None:
    if b'"stream":true' in request:
        conn.sendall(EVENTS_HEAD + chunked(*STREAM))
    else:
        conn.sendall(http_answer(ANSWER))


class ScriptedUpstream:
    """Reads whole requests and answers as `script` says; every connection has a thread of its own."""

    def __init__(self) -> None:
        self.script: Script = good
        self.requests: list[bytes] = []
        self.gone = threading.Event()  # a connection was closed by the other side
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for conn in list(self._open):
            with contextlib.suppress(OSError):
                conn.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            self._open.add(conn)
            threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn: socket.socket) -> None:
        with conn, contextlib.suppress(OSError):
            while request := read_request(conn):
                self.requests.append(request)
                self.script(conn, request)
            self.gone.set()
        self._open.discard(conn)


def read_request(conn: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = conn.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += conn.recv(65536)
    return head + b"\r\n\r\n" + body


class CountingGate(OpenGate):
    """Counts grants and settlements."""

    def __init__(self) -> None:
        self.granted: list[Grant] = []
        self.settled: list[tuple[Grant, Usage, bool]] = []
        self.refusal: Refusal | None = None
        self.admit_refusal: Refusal | None = None
        self.callers: list[Caller] = []
        self.revoked: set[str] = set()
        self.looked = 0  # how often it was asked whether a grant stands

    def stands(self, grant: Grant) -> bool:
        self.looked += 1
        return grant.key_id not in self.revoked

    def identify(self, caller: Caller) -> Grant | Refusal:
        self.callers.append(caller)
        return self.refusal or Grant(key_id="")

    async def admit(self, caller: Caller, exchange: Exchange) -> Grant | Refusal:
        del caller, exchange
        if self.admit_refusal:
            return self.admit_refusal
        grant = Grant(key_id=f"k{len(self.granted)}", headers=(("x-ratelimit-remaining-requests", "7"),))
        self.granted.append(grant)
        return grant

    def settle(self, grant: Grant, usage: Usage, *, completed: bool) -> None:
        self.settled.append((grant, usage, completed))


class KeepingRecorder:
    """Keeps every record."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.error: Exception | None = None

    def texts(self, exchange: Exchange) -> object:
        return tuple(piece.text for piece in exchange.pieces)

    async def finished(self, record: Record) -> None:
        self.records.append(record)
        if self.error is not None:
            raise self.error


class Running:
    """A gateway in a thread."""

    def __init__(self, table: dict[str, object], inspector: Inspector | None = None) -> None:
        self.gate = CountingGate()
        self.recorder = KeepingRecorder()
        self.settings = guard_settings({"listen": "127.0.0.1:0", **table})
        parts = Parts(self.gate, inspector or OpenInspector(), self.recorder, metrics=lambda: (b"up 1\n", "text/plain"))
        self.gateway = Gateway(self.settings, parts)
        sock = listening_socket(self.settings)
        self.port: int = sock.getsockname()[1]
        self.server = GatewayServer(self.gateway, [sock])
        self._thread = threading.Thread(target=self.server.run)
        self._thread.start()
        until(lambda: self.server.started)

    def stop(self) -> None:
        self.server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def raw(self, data: bytes, *, half_close: bool = False) -> bytes:
        """Everything that comes back for `data`, until the gateway closes or a whole response is there."""
        with self.connect() as conn:
            with contextlib.suppress(OSError):
                conn.sendall(data)
                if half_close:
                    conn.shutdown(socket.SHUT_WR)
            return read_all(conn)

    def post(self, path: str, body: object, headers: dict[str, str] | None = None) -> "Reply":
        data = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
        lines = "".join(f"{k}: {v}\r\n" for k, v in (headers or {}).items())
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(data)}\r\n{lines}\r\n"
        return Reply(self.raw(head.encode() + data))

    def get(self, path: str, method: str = "GET", headers: str = "") -> "Reply":
        return Reply(self.raw(f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n".encode()))

    def chat(self, *, stream: bool = False, headers: dict[str, str] | None = None, **more: object) -> "Reply":
        body = {"model": "m", "messages": [{"role": "user", "content": "hello"}], **({"stream": True} if stream else {}), **more}
        return self.post("/v1/chat/completions", body, headers)

    def settled_once(self) -> None:
        """Every request so far was settled and recorded once."""
        until(lambda: self.gateway.calls == 0)
        assert sorted(g.key_id for g in self.gate.granted) == sorted(g.key_id for g, _, _ in self.gate.settled)
        ids = [record.request_id for record in self.recorder.records]
        assert len(ids) == len(set(ids))


class Reply:
    """A response taken apart."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1]) if raw else 0
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        self.complete = True
        if self.headers.get("transfer-encoding") == "chunked":
            body, self.complete = unchunked(body)
        self.body = body

    def json(self) -> dict:
        return json.loads(self.body)

    @property
    def error(self) -> dict:
        return self.json()["error"]

    def events(self) -> list:
        return [
            line[6:] if line == "data: [DONE]" else json.loads(line[6:])
            for line in self.body.decode().split("\n")
            if line.startswith("data: ")
        ]

    def text(self) -> str:
        return "".join(
            e["choices"][0]["delta"].get("content", "") for e in self.events() if isinstance(e, dict) and e.get("choices")
        )


def unchunked(data: bytes) -> tuple[bytes, bool]:
    body = b""
    while data:
        size, _, rest = data.partition(b"\r\n")
        count = int(size, 16)
        if count == 0:
            return body, True
        body += rest[:count]
        data = rest[count + 2 :]
    return body, False


def read_all(conn: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(OSError):
        while more := conn.recv(65536):
            data += more
    return data


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Waits until `condition` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.01)


FAST = {"first-byte": 0.5, "idle": 0.5, "total": 5.0, "connect": 1.0}


def table_for(*upstreams: ScriptedUpstream, **more: object) -> dict:
    listed = [{"name": f"u{i}", "base-url": u.url, "models": ["m"], **FAST} for i, u in enumerate(upstreams)]
    base = {"upstream": listed, "retries": {"most": 0}, "bounds": {"body": 1 << 20}}
    return {**base, **more}


NewUpstream = Callable[..., ScriptedUpstream]
NewGateway = Callable[..., Running]
