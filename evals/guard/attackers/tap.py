"""Stands between an attacker and its target, passes everything on unchanged, and notes how each request ended.

The first part of the path names the attack under way, so that several may run at once: `http://127.0.0.1:PORT/NAME/v1`.
"""

import http.client
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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


class Tap:
    """An HTTP server on loopback in front of `target` (http://host:port)."""

    def __init__(self, target: str) -> None:
        self.seen: list[Seen] = []
        self._target = urlsplit(target).netloc
        self._lock = threading.Lock()
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

    def passed(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """The target's answer to a request."""
        _, attack, rest = path.split("/", 2)
        began = time.perf_counter()
        connection = http.client.HTTPConnection(self._target, timeout=PATIENCE)
        try:
            connection.request(method, f"/{rest}", body, {k: v for k, v in headers.items() if k.lower() not in DROPPED})
            response = connection.getresponse()
            answer = response.read()
            told = {k.lower(): v for k, v in response.getheaders() if k.lower() not in DROPPED}
            status = response.status
        except (OSError, http.client.HTTPException) as error:
            status, told, answer = 502, {}, json.dumps({"error": {"code": type(error).__name__}}).encode()
        finally:
            connection.close()
        if method == "POST":
            seen = Seen(attack, status, _code(status, answer), told.get("x-hauberk-decision", ""), time.perf_counter() - began)
            with self._lock:
                self.seen.append(seen)
        return status, told, answer

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
                status, told, answer = tap.passed(self.command, self.path, dict(self.headers.items()), body)
                self.send_response(status)
                for name, value in told.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                """Keeps quiet."""

        return Handler


def _code(status: int, answer: bytes) -> str:
    if status == 200:
        return ""
    try:
        error = json.loads(answer)["error"]
        return str(error.get("code") or error.get("type") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return "no JSON error"
