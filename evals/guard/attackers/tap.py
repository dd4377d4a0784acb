"""Stands between an attacker and its target, passes everything on unchanged, and notes how each request ended.

The first part of the path names the attack under way, so that several may run at once: `http://127.0.0.1:PORT/NAME/v1`. A second
tap stands before the model and remembers its answers, so that the same request gets the same answer with and without the guard.
"""

import http.client
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

PATIENCE = 300.0  # seconds for one answer
DROPPED = {"connection", "content-length", "date", "host", "keep-alive", "server", "transfer-encoding"}


class Seen(NamedTuple):
    """One request: of which attack, and its end. `code` is that of the error, `decision` what the guard said in its header."""

    attack: str
    status: int
    code: str
    decision: str
    seconds: float

    @property
    def blocked(self) -> bool:
        """Whether the guard refused it, by what was asked or by what was answered."""
        return self.status == 400 and self.code == "content_filter"


class _Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Tap:
    """An HTTP server on loopback in front of `targets`, addresses up to their /v1, asked in turn.

    `remember`: equal requests get one answer.
    """

    def __init__(self, *targets: str, remember: bool = False) -> None:
        self.seen: list[Seen] = []
        self._targets = cycle([(urlsplit(target).netloc, urlsplit(target).path) for target in targets])
        self._lock = threading.Lock()
        self._known: dict[str, _Answer] | None = {} if remember else None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def base_url(self, attack: str) -> str:
        """What an attacker is to be given."""
        return f"{self.address}/{attack}/v1"

    def of(self, attack: str) -> list[Seen]:
        """What was seen of an attack."""
        with self._lock:
            return [seen for seen in self.seen if seen.attack == attack]

    def ends(self, attack: str) -> dict[str, int]:
        """How the requests of an attack ended: `200`, `400 content_filter`, and so on."""
        return dict(Counter(f"{seen.status} {seen.code}".strip() for seen in self.of(attack)))

    def passed(self, method: str, path: str, headers: dict[str, str], body: bytes) -> "_Answer":
        """The target's answer to a request."""
        _, attack, rest = path.split("/", 2)
        began = time.perf_counter()
        key = f"{rest} {_sorted(body)}"
        answer = self._known.get(key) if self._known is not None and method == "POST" else None
        if answer is None:
            answer = self._asked(method, f"/{rest}", headers, body)
            if self._known is not None and answer.status == 200:
                self._known[key] = answer
        if method == "POST":
            decision = answer.headers.get("x-hauberk-decision", "")
            seen = Seen(attack, answer.status, _code(answer), decision, time.perf_counter() - began)
            with self._lock:
                self.seen.append(seen)
        return answer

    def _asked(self, method: str, path: str, headers: dict[str, str], body: bytes) -> "_Answer":
        with self._lock:
            host, before = next(self._targets)
        connection = http.client.HTTPConnection(host, timeout=PATIENCE)
        try:
            connection.request(method, before + path, body, {k: v for k, v in headers.items() if k.lower() not in DROPPED})
            response = connection.getresponse()
            told = {k.lower(): v for k, v in response.getheaders() if k.lower() not in DROPPED}
            return _Answer(response.status, told, response.read())
        except (OSError, http.client.HTTPException) as error:
            return _Answer(502, {}, json.dumps({"error": {"code": type(error).__name__}}).encode())
        finally:
            connection.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        tap = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:  # the standard library's name
                self._pass()

            def do_POST(self) -> None:  # the standard library's name
                self._pass()

            def _pass(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                answer = tap.passed(self.command, self.path, dict(self.headers.items()), body)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: Any) -> None:
                """Keeps quiet."""

        return Handler


def _code(answer: _Answer) -> str:
    if answer.status == 200:
        return ""
    try:
        error = json.loads(answer.body)["error"]
        return str(error.get("code") or error.get("type") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return "no JSON error"


def _sorted(body: bytes) -> str:
    """The same for equal JSON, however it is written."""
    try:
        return json.dumps(json.loads(body), sort_keys=True)
    except ValueError:
        return repr(body)
