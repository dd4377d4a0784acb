"""An upstream that is dead, slow, lying, cut short or hostile: a clear error, nothing hangs, nothing is lost."""

import contextlib
import socket
import time

import pytest
from gateway_harness import (
    ANSWER,
    EVENTS_HEAD,
    FAST,
    STREAM,
    NewGateway,
    NewUpstream,
    Running,
    Script,
    ScriptedUpstream,
    chunk,
    chunked,
    good,
    http_answer,
    table_for,
    until,
)


def says(*pieces: bytes, pause: float = 0.0, end: bool = True) -> None:
    def script(conn: socket.socket, request: bytes) -> None:
        with contextlib.suppress(OSError):
            for piece in pieces:
                conn.sendall(piece)
                time.sleep(pause)
            if end:
                conn.shutdown(socket.SHUT_RDWR)

    return script


def long_head(conn: socket.socket, request: bytes) -> None:
    with contextlib.suppress(OSError):
        conn.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            conn.sendall(b"x-a: " + b"a" * 1000 + b"\r\n")


def interim_without_end(conn: socket.socket, request: bytes) -> None:
    with contextlib.suppress(OSError):
        while True:
            conn.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def endless_body(conn: socket.socket, request: bytes) -> None:
    with contextlib.suppress(OSError):
        conn.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
        while True:
            conn.sendall(b"a" * 65536)


JSON_FAULTS = {
    "closes-at-once": says(),
    "garbage": says(b"\x16\x03\x01\x02garbage\r\n\r\n"),
    "two-lengths": says(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    "two-lengths-other-order": says(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n"),
    "duplicate-length": says(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}"),
    "signed-length": says(b"HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\n{}"),
    "chunked-in-1.0": says(b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    "gzip-coding": says(b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    "bad-chunk": says(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
    "cut-chunk": says(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}"),
    "folded-header": says(b"HTTP/1.1 200 OK\r\na: b\r\n c\r\ncontent-length: 2\r\n\r\n{}"),
    "bare-line-feeds": says(b"HTTP/1.1 200 OK\ncontent-length: 2\n\n{}"),
    "length-too-long": says(b"HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n" + ANSWER),
    "length-too-short": says(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n" + ANSWER),
    "huge-length": says(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n"),
    "not-json": says(http_answer(b"<html>hello</html>", kind="text/html")),
    "empty": says(http_answer(b"")),
    "wrong-types": says(http_answer(b'{"choices": 7}')),
    "deep": says(http_answer(b'{"choices":' + b"[" * 100_000 + b"]" * 100_000 + b"}")),
    "not-utf8": says(http_answer(b'{"choices":[{"message":{"content":"\xff\xfe"}}]}')),
    "compressed": says(http_answer(ANSWER, extra="content-encoding: gzip\r\n")),
    "upgrade": says(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nhello"),
    "redirect": says(b"HTTP/1.1 307 Go\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"),
    "server-error": says(http_answer(b'{"error":"stack trace of /srv/app.py"}', "500 Oops")),
    "long-head": long_head,
    "interim-without-end": interim_without_end,
    "endless-body": endless_body,
}


@pytest.mark.parametrize("name", JSON_FAULTS)
def test_a_faulty_answer_becomes_a_502(gateway: Running, upstream: ScriptedUpstream, name: str) -> None:
    upstream.script = JSON_FAULTS[name]
    reply = gateway.chat()
    assert reply.status == 502
    assert reply.error["type"] == "api_error"
    assert reply.headers["x-hauberk-incident"] == reply.error["incident_id"]
    assert b"app.py" not in reply.raw
    (record,) = gateway.recorder.records
    assert record.status == 502
    assert record.error
    assert gateway.gate.settled[0][2] is False
    upstream.script = good
    assert gateway.chat().status == 200, "the fault has not spoilt the next request"


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\ncontent-le", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"])
def test_silence_becomes_a_504(gateway: Running, upstream: ScriptedUpstream, sent: bytes) -> None:
    upstream.script = says(sent, pause=1.6)
    began = time.monotonic()
    reply = gateway.chat()
    assert reply.status == 504
    assert reply.error["code"] == "upstream_timeout"
    assert time.monotonic() - began < 1.5
    assert upstream.gone.wait(5), "the upstream's work was cancelled"


def test_drip_feeding_ends_at_the_total(new_upstream: NewUpstream, new_gateway: NewGateway) -> None:
    upstream = new_upstream(says(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", *[b"x"] * 90, pause=0.1))
    entry = {"name": "u", "base-url": upstream.url, "models": ["m"], **FAST, "total": 1.0}
    assert new_gateway({"upstream": [entry]}).chat().status == 504


def test_interim_answers_are_passed_over(gateway: Running, upstream: ScriptedUpstream) -> None:
    upstream.script = lambda conn, _: conn.sendall(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: x\r\n\r\n" + http_answer(ANSWER)
    )
    assert gateway.chat().status == 200


def test_an_answer_until_the_connection_closes(gateway: Running, upstream: ScriptedUpstream) -> None:
    upstream.script = says(b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + ANSWER)
    assert gateway.chat().json()["choices"][0]["message"]["content"] == "good day"


def test_a_second_answer_is_never_given_to_the_next_client(gateway: Running, upstream: ScriptedUpstream) -> None:
    upstream.script = lambda conn, _: conn.sendall(http_answer(ANSWER) + http_answer(ANSWER.replace(b"good day", b"smuggled")))
    for _ in range(3):
        assert b"smuggled" not in gateway.chat().raw


def test_bytes_after_the_answer_spoil_the_connection_only(gateway: Running, upstream: ScriptedUpstream) -> None:
    def script(conn: socket.socket, request: bytes) -> None:
        conn.sendall(http_answer(ANSWER))
        time.sleep(0.05)
        with contextlib.suppress(OSError):
            conn.sendall(http_answer(ANSWER.replace(b"good day", b"smuggled")))

    upstream.script = script
    for _ in range(4):
        reply = gateway.chat()
        assert (reply.status, b"smuggled" in reply.raw) == (200, False)
        time.sleep(0.1)


STREAM_FAULTS = {
    "cut-between-events": EVENTS_HEAD + chunked(*STREAM[:3], end=False),
    "cut-inside-an-event": EVENTS_HEAD + chunked(*STREAM[:3], b"data: {", end=False),
    "ends-without-done": EVENTS_HEAD + chunked(*STREAM[:3]),
    "garbage-event": EVENTS_HEAD + chunked(*STREAM[:3], b"data: {nonsense\n\n", *STREAM[3:]),
    "wrong-types": EVENTS_HEAD + chunked(*STREAM[:3], b'data: {"choices": 3}\n\n', *STREAM[3:]),
    "error-event": EVENTS_HEAD + chunked(*STREAM[:3], b'data: {"error": {"message": "CUDA"}}\n\n'),
    "bad-chunk-size": EVENTS_HEAD + chunked(*STREAM[:3], end=False) + b"QQ\r\n",
}


@pytest.mark.parametrize("name", STREAM_FAULTS)
def test_a_faulty_stream_ends_with_a_clear_error_event(gateway: Running, upstream: ScriptedUpstream, name: str) -> None:
    upstream.script = says(STREAM_FAULTS[name])
    reply = gateway.chat(stream=True)
    assert reply.status == 200
    assert reply.complete, "the client sees a proper end"
    assert reply.text().startswith("word0 word1 word2 ")
    *_, error, done = reply.events()
    assert done == "[DONE]"
    assert error["error"]["code"].startswith("upstream_")
    assert error["error"]["incident_id"] == gateway.recorder.records[0].incident
    assert gateway.gate.settled[0][2] is False


def test_a_stream_that_falls_silent_ends_with_an_error_event(gateway: Running, upstream: ScriptedUpstream) -> None:
    upstream.script = says(EVENTS_HEAD + chunked(*STREAM[:3], end=False), pause=1.6)
    reply = gateway.chat(stream=True)
    assert reply.complete
    assert reply.events()[-2]["error"]["code"] == "upstream_timeout"
    assert upstream.gone.wait(5)


def test_a_stream_that_is_none(gateway: Running, upstream: ScriptedUpstream) -> None:
    upstream.script = says(http_answer(ANSWER))
    assert gateway.chat(stream=True).status == 502


def test_an_upstream_that_stays_open_after_done_holds_nobody_up(gateway: Running, upstream: ScriptedUpstream) -> None:
    upstream.script = says(EVENTS_HEAD + chunked(*STREAM, end=False), pause=1.6)
    began = time.monotonic()
    reply = gateway.chat(stream=True)
    assert reply.events()[-1] == "[DONE]"
    assert time.monotonic() - began < 1
    until(lambda: gateway.gateway.calls == 0)


def test_a_client_that_leaves_ends_the_upstreams_work(gateway: Running, upstream: ScriptedUpstream) -> None:
    upstream.script = says(EVENTS_HEAD + chunked(chunk("hello"), end=False), pause=0.9)
    body = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}'
    with gateway.connect() as conn:
        conn.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        data = b""
        while b"hello" not in data:
            data += conn.recv(65536)
    until(lambda: gateway.recorder.records)
    record = gateway.recorder.records[0]
    assert record.status == 499
    assert record.answer_text == "hello"
    assert upstream.gone.wait(5)


def test_a_client_that_leaves_while_the_upstream_thinks(gateway: Running, upstream: ScriptedUpstream) -> None:
    upstream.script = says(pause=0.0, end=False)
    body = b'{"model":"m","messages":[{"role":"user","content":"x"}]}'
    with gateway.connect() as conn:
        conn.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        until(lambda: upstream.requests)
    until(lambda: gateway.recorder.records)
    assert gateway.recorder.records[0].status == 499
    assert upstream.gone.wait(5)


def test_no_upstream_at_all(new_gateway: NewGateway, new_upstream: NewUpstream) -> None:
    upstream = new_upstream()
    upstream.close()
    gateway = new_gateway(table_for(upstream))
    reply = gateway.chat()
    assert reply.status == 502
    assert reply.error["code"] == "upstream_unreachable"


# retries, fall-back, circuit


def counting(answers: list[Script]) -> Script:
    left = list(answers)

    def script(conn: socket.socket, request: bytes) -> None:
        (left.pop(0) if left else good)(conn, request)

    return script


def busy(status: str, extra: str = "") -> Script:
    return lambda conn, _: conn.sendall(http_answer(b"{}", status, extra=extra))


def test_a_busy_upstream_is_asked_again(new_upstream: NewUpstream, new_gateway: NewGateway) -> None:
    upstream = new_upstream(counting([busy("503 Busy"), busy("429 Slow", "retry-after: 0\r\n")]))
    gateway = new_gateway(table_for(upstream, retries={"most": 2, "base": 0.01}))
    assert gateway.chat().status == 200
    assert len(upstream.requests) == 3


def test_a_long_retry_after_goes_to_the_client(new_upstream: NewUpstream, new_gateway: NewGateway) -> None:
    upstream = new_upstream(busy("429 Slow", "retry-after: 77\r\n"))
    gateway = new_gateway(table_for(upstream, retries={"most": 2}))
    reply = gateway.chat()
    assert (reply.status, reply.headers["retry-after"]) == (429, "77")
    assert len(upstream.requests) == 1


def test_a_long_retry_after_is_no_reason_to_leave_the_next_upstream_unasked(
    new_upstream: NewUpstream, new_gateway: NewGateway
) -> None:
    """Regression: the 429 of the first of two upstreams went to the client while the second stood idle."""
    full, idle = new_upstream(busy("429 Slow", "retry-after: 77\r\n")), new_upstream()
    table = table_for(full, idle, retries={"most": 1})
    for entry in table["upstream"]:
        entry["models"] = []
    table["model"] = [{"name": "m", "to": [{"upstream": "u0"}, {"upstream": "u1", "tier": 1}]}]
    gateway = new_gateway(table)
    assert gateway.chat().status == 200
    assert (len(full.requests), len(idle.requests)) == (1, 1)


def test_the_operator_is_told_what_an_upstream_answered(
    new_upstream: NewUpstream, new_gateway: NewGateway, caplog: pytest.LogCaptureFixture
) -> None:
    """Regression: a key that the provider refused showed as a 502 to the client and nowhere to the operator."""
    gateway = new_gateway(table_for(new_upstream(busy("401 Unauthorized"))))
    reply = gateway.chat()
    assert reply.status == 502
    assert b"401" not in reply.body
    assert any(line.startswith("upstream u0") and line.endswith("the upstream answered 401") for line in caplog.messages)


def test_a_request_that_a_model_may_have_seen_is_not_sent_twice(new_upstream: NewUpstream, new_gateway: NewGateway) -> None:
    upstream = new_upstream(says(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{"))
    gateway = new_gateway(table_for(upstream, retries={"most": 3, "base": 0.01}))
    assert gateway.chat().status == 502
    assert len(upstream.requests) == 1


def test_fall_back_by_tier(new_upstream: NewUpstream, new_gateway: NewGateway) -> None:
    dead, alive = new_upstream(), new_upstream()
    dead.close()
    table = table_for(dead, alive, retries={"most": 1})
    for entry in table["upstream"]:
        entry["models"] = []
    table["model"] = [{"name": "m", "to": [{"upstream": "u0"}, {"upstream": "u1", "tier": 1}]}]
    gateway = new_gateway(table)
    for _ in range(3):
        assert gateway.chat().status == 200
    assert gateway.recorder.records[0].upstream == "u1"


def test_a_kept_connection_that_was_just_closed_is_no_failure(gateway: Running, upstream: ScriptedUpstream) -> None:
    def once(conn: socket.socket, request: bytes) -> None:
        conn.sendall(http_answer(ANSWER))
        conn.shutdown(socket.SHUT_RDWR)

    upstream.script = once
    for _ in range(10):
        assert gateway.chat().status == 200


def test_the_circuit_opens_and_closes_again(new_upstream: NewUpstream, new_gateway: NewGateway) -> None:
    upstream = new_upstream(busy("500 Oops"))
    table = table_for(upstream)
    table["upstream"][0]["circuit"] = {"failures": 2, "rest": 0.5}
    gateway = new_gateway(table)
    assert [gateway.chat().status for _ in range(3)] == [502, 502, 503]
    assert len(upstream.requests) == 2
    assert gateway.get("/readyz").status == 503
    assert int(gateway.chat().headers["retry-after"]) >= 1
    upstream.script = good
    time.sleep(0.6)
    assert gateway.chat().status == 200


def test_health_checks_move_requests_to_healthy_upstreams(new_upstream: NewUpstream, new_gateway: NewGateway) -> None:
    ill, well = new_upstream(busy("500 Oops")), new_upstream()
    table = table_for(ill, well)
    for entry in table["upstream"]:
        entry["health"] = {"path": "/health", "interval": 0.1}
    gateway = new_gateway(table)
    until(lambda: not gateway.gateway.generation.directory.upstreams["u0"].healthy)
    assert {gateway.chat().status for _ in range(8)} == {200}
    assert any(request.startswith(b"GET /v1/health HTTP/1.1") for request in ill.requests)


def test_no_more_connections_than_allowed(new_upstream: NewUpstream, new_gateway: NewGateway) -> None:
    upstream = new_upstream(says(pause=0, end=False))
    table = table_for(upstream)
    table["upstream"][0].update(connections=1, connect=0.3)
    gateway = new_gateway(table)
    with gateway.connect() as first:
        body = b'{"model":"m","messages":[{"role":"user","content":"x"}]}'
        first.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        until(lambda: upstream.requests)
        assert gateway.chat().status == 503
    until(lambda: gateway.gateway.generation.directory.upstreams["u0"].pool.open == 0)
    upstream.script = good
    assert gateway.chat().status == 200
