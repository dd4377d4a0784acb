"""Events for others: what a collector on loopback receives."""

import hashlib
import hmac
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hauberk.guard.telemetry.forward import Forwarder
from hauberk.guard.telemetry.ocsf import event_of
from hauberk.guard.telemetry.syslog import Syslog
from hauberk.guard.telemetry.webhook import Webhook
from hauberk.store.audit.entry import Entry

REQUEST = Entry(
    7,
    "2026-01-02T03:04:05.678Z",
    "request",
    "ab" * 32,
    {
        "request_id": "r1", "route": "/v1/chat/completions", "address": "192.0.2.1", "key_id": "k1", "key_name": "ci",
        "tenant": "t", "model": "m", "upstream": "u", "status": 400, "action": "block", "incident": "inc-1", "seconds": 0.25,
        "findings": [{"rule": "instruction-override", "severity": "high", "where": "message:messages/0"}],
    },
)  # fmt: skip


def test_blocked_request_in_ocsf() -> None:
    event = event_of(REQUEST)
    assert (event["class_uid"], event["category_uid"], event["type_uid"]) == (6003, 6, 600399)
    assert event["time"] == 1767323045678
    assert (event["disposition"], event["severity_id"], event["status_id"]) == ("Blocked", 4, 2)
    assert event["src_endpoint"]["ip"] == "192.0.2.1"
    assert event["unmapped"]["incident"] == "inc-1"
    assert event["duration"] == 250


def test_key_change_in_ocsf() -> None:
    event = event_of(Entry(1, "2026-01-02T03:04:05Z", "key", "00", {"event": "revoked", "key_id": "k1", "by": "ann"}))
    assert (event["class_uid"], event["activity_name"], event["entity"]["uid"]) == (3004, "revoked", "k1")


class Collector:
    """An HTTP server that keeps what is posted, and fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.bodies: list[tuple[dict[str, str], bytes]] = []
        self.failures = failures
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.failures -= 1
                if outer.failures < 0:
                    outer.bodies.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(204 if outer.failures < 0 else 503)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_webhook_is_signed(collector: Collector) -> None:
    Webhook(collector.url, b"secret")([b'{"a":1}', b'{"a":2}'])
    headers, body = collector.bodies[0]
    assert json.loads(body) == [{"a": 1}, {"a": 2}]
    moment, signature = (part.split("=", 1)[1] for part in headers["x-hauberk-signature"].split(","))
    assert signature == hmac.new(b"secret", f"{moment}.".encode() + body, hashlib.sha256).hexdigest()


def test_forwarder_tries_again(collector: Collector) -> None:
    collector.failures = 2
    forwarder = Forwarder(Webhook(collector.url), pause=0.01)
    forwarder.put(b'{"a":1}')
    forwarder.close()
    assert (forwarder.sent, forwarder.lost, len(collector.bodies)) == (1, 0, 1)


def test_what_nobody_takes_is_counted() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        forwarder = Forwarder(Webhook(f"http://127.0.0.1:{unused.getsockname()[1]}/"), tries=2, pause=0.01)
        forwarder.put(b"{}")
        forwarder.close()
    assert (forwarder.sent, forwarder.lost) == (0, 1)


def test_forwarder_never_waits_for_its_receiver() -> None:
    blocked = threading.Event()
    forwarder = Forwarder(lambda _events: blocked.wait(5) and None, waiting=10)
    for _ in range(30):
        forwarder.put(b"{}")
    assert forwarder.lost >= 15
    blocked.set()
    forwarder.close()


def test_webhook_follows_no_redirect(collector: Collector) -> None:
    class Elsewhere(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(302)
            self.send_header("location", collector.url)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with pytest.raises(OSError, match="302"):
        Webhook(f"http://127.0.0.1:{server.server_address[1]}/")([b"{}"])
    assert collector.bodies == []
    server.shutdown()
    server.server_close()


def test_syslog_over_udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        sender = Syslog(f"udp://127.0.0.1:{receiver.getsockname()[1]}")
        sender([b'{"a":1}'])
        message = receiver.recv(2000)
        sender.close()
    assert message.startswith(b"<133>1 - ")
    assert message.endswith(b' audit - {"a":1}')


def test_syslog_over_tcp_counts_octets() -> None:
    received: list[bytes] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while data := self.request.recv(4096):
                received.append(data)

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        sender = Syslog(f"tcp://127.0.0.1:{server.server_address[1]}")
        sender([b'{"a":1}', b'{"a":22}'])
        sender.close()
        thread.join(5)
    data = b"".join(received)
    while data:
        size, _, data = data.partition(b" ")
        message, data = data[: int(size)], data[int(size) :]
        assert message.startswith(b"<133>1 ")
        assert message.endswith(b"}")


@pytest.mark.parametrize("address", ["http://host", "udp://", "host:514"])
def test_refuses_what_is_no_syslog_address(address: str) -> None:
    with pytest.raises(ValueError, match="no syslog address"):
        Syslog(address)
