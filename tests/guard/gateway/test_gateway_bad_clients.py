"""Clients that are broken, hostile, slow or gone."""

import contextlib
import json
import socket
import time

import pytest
from gateway_harness import (
    ANSWER,
    EVENTS_HEAD,
    NewGateway,
    Reply,
    Running,
    ScriptedUpstream,
    chunk,
    chunked,
    http_answer,
    read_all,
    table_for,
    until,
)

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
BODY = b'{"model":"m","messages":[{"role":"user","content":"x"}]}'
SOUND = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY

BAD_BODIES = {
    "empty": b"",
    "not-json": b"hello",
    "cut": BODY[:-5],
    "array": b"[1,2]",
    "number": b"7",
    "invalid-utf8": BODY.replace(b'"x"', b'"\xff\xfe"'),
    "deep": b'{"model":"m","messages":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "deep-objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "messages-of-wrong-type": b'{"model":"m","messages":"hello"}',
    "message-of-wrong-type": b'{"model":"m","messages":[7]}',
    "model-of-wrong-type": b'{"model":{"a":1},"messages":[{"role":"user","content":"x"}]}',
    "stream-of-wrong-type": BODY[:-1] + b',"stream":"yes"}',
    "no-model": b'{"messages":[{"role":"user","content":"x"}]}',
    "no-messages": b'{"model":"m"}',
    "trailing": BODY + b"{}",
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_bad_bodies_get_a_400_in_the_dialects_form(gateway: Running, upstream: ScriptedUpstream, name: str) -> None:
    reply = gateway.post("/v1/chat/completions", BAD_BODIES[name])
    assert reply.status == 400
    assert set(reply.error) >= {"message", "type", "param", "code"}
    reply = gateway.post("/v1/messages", BAD_BODIES[name])
    assert reply.status in {400, 404}
    assert reply.json()["type"] == "error"
    assert not upstream.requests


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("declared", [True, False])
def test_ten_megabytes_are_refused_with_a_413(gateway: Running, path: str, *, declared: bool) -> None:
    size = 10 << 20
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\n".encode()
    with gateway.connect() as conn:
        with contextlib.suppress(OSError):
            if declared:
                conn.sendall(head + b"Content-Length: %d\r\n\r\n" % size)
            else:
                conn.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + b"10000\r\n" + b"a" * 65536 + b"\r\n")
                for _ in range(40):
                    conn.sendall(b"10000\r\n" + b"a" * 65536 + b"\r\n")
        reply = Reply(conn.recv(65536))
    assert reply.status == 413
    assert reply.json()["error"]["message"]


def test_a_compressed_body_is_refused(gateway: Running) -> None:
    assert gateway.post("/v1/chat/completions", BODY, {"Content-Encoding": "gzip"}).status == 415


SMUGGLING = {
    "length-and-chunked": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX",
    "chunked-and-length": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nX",
    "two-lengths": HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "same-length-twice": HEAD + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "list-of-lengths": HEAD + b"Content-Length: 5, 5\r\n\r\nhello",
    "signed-length": HEAD + b"Content-Length: +5\r\n\r\nhello",
    "folded-header": HEAD + b"X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "folded-coding": HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "bare-line-feed": HEAD.replace(b"\r\n", b"\n") + b"Content-Length: 0\n\n",
    "bare-carriage-return": HEAD + b"X-A: b\rX-B: c\r\n\r\n",
    "space-before-colon": HEAD + b"Content-Length : 5\r\n\r\nhello",
    "coding-with-suffix": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "coding-list": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "coding-twice": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding-in-1.0": HEAD.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bad-chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "nul-in-header": HEAD + b"X-A: b\x00c\r\n\r\n",
    "no-host": b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "two-hosts": HEAD + b"Host: y\r\nContent-Length: 0\r\n\r\n",
    "odd-address": b"GET /v1/models\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "not-http": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03",
    "connect": b"CONNECT evil:443 HTTP/1.1\r\nHost: evil\r\n\r\n",
}


@pytest.mark.parametrize("name", SMUGGLING)
def test_shapes_that_two_servers_read_differently_are_refused(gateway: Running, upstream: ScriptedUpstream, name: str) -> None:
    raw = gateway.raw(SMUGGLING[name] + SOUND)
    first = Reply(raw)
    assert first.status in {400, 405}
    assert b"good day" not in raw, "what came after was not served on the same connection"
    assert not upstream.requests


def test_an_offer_of_http_2_is_passed_over_and_nothing_after_it_is_read(gateway: Running, upstream: ScriptedUpstream) -> None:
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n"
    raw = gateway.raw(SOUND.replace(b"Host: x\r\n", b"Host: x\r\n" + offer) + SOUND)
    assert Reply(raw).headers["connection"] == "close"
    assert raw.count(b"good day") == 1
    assert len(upstream.requests) == 1


def test_headers_have_bounds(gateway: Running) -> None:
    assert Reply(gateway.raw(HEAD + b"X-A: " + b"a" * 200_000)).status == 431
    assert Reply(gateway.raw(HEAD + b"".join(b"X-%d: a\r\n" % i for i in range(200)) + b"\r\n")).status == 431
    assert Reply(gateway.raw(b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")).status == 414


def test_http_1_0_is_served_and_closed(gateway: Running) -> None:
    raw = gateway.raw(SOUND.replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert Reply(raw).status == 200


def test_pipelined_requests_are_answered_in_order(gateway: Running) -> None:
    with gateway.connect() as conn:
        conn.sendall(SOUND * 3 + HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
        raw = read_all(conn)
    assert raw.count(b"HTTP/1.1 200 OK") == 4
    assert raw.count(b"good day") == 4


def test_too_many_pipelined_requests_end_the_connection(gateway: Running) -> None:
    gateway.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 5000)
    until(lambda: not gateway.server.keeper.connections)


def test_a_half_closed_client_counts_as_gone_and_nothing_hangs(gateway: Running, upstream: ScriptedUpstream) -> None:
    def slow(conn: socket.socket, request: bytes) -> None:
        time.sleep(0.2)
        with contextlib.suppress(OSError):
            conn.sendall(http_answer(ANSWER))

    upstream.script = slow
    gateway.raw(SOUND, half_close=True)
    until(lambda: gateway.recorder.records)
    assert gateway.recorder.records[0].status == 499


def test_a_client_that_leaves_in_the_middle_of_its_body(gateway: Running, upstream: ScriptedUpstream) -> None:
    with gateway.connect() as conn:
        conn.sendall(HEAD + b"Content-Length: 100\r\n\r\nhalf")
        time.sleep(0.05)
    until(lambda: gateway.recorder.records)
    assert gateway.recorder.records[0].status == 499
    assert not gateway.gate.granted


def test_expect_continue(gateway: Running) -> None:
    with gateway.connect() as conn:
        conn.sendall(HEAD + b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY))
        assert conn.recv(100).startswith(b"HTTP/1.1 100 Continue")
        conn.sendall(BODY)
        assert Reply(read_all(conn)).status == 200


# time


@pytest.fixture
def hasty(new_gateway: NewGateway, upstream: ScriptedUpstream) -> Running:
    deadlines = {"header": 0.6, "body": 0.6, "write": 0.6, "keep-alive": 1.0}
    return new_gateway(table_for(upstream, deadlines=deadlines, bounds={"connections-per-source": 40}))


def closes(conn: socket.socket, drip: bytes, seconds: float = 4.0) -> bytes:
    """What came before the gateway closed, while `drip` is sent byte by byte."""
    conn.settimeout(0.1)
    data, end = b"", time.monotonic() + seconds
    for byte in drip or bytes(1000):
        assert time.monotonic() < end, "still open"
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if drip:
                conn.send(bytes([byte]))
        try:
            more = conn.recv(4096)
        except TimeoutError:
            continue
        except ConnectionResetError:
            return data
        if not more:
            return data
        data += more
    raise AssertionError("still open")


@pytest.mark.parametrize(
    ("first", "drip", "said"),
    [(b"", b"", b""), (HEAD, b"X-Slow: " + b"a" * 1000, b"408"), (HEAD + b"Content-Length: 1000\r\n\r\n", b"a" * 999, b"408")],
    ids=["silent", "slow-header", "slow-body"],
)
def test_slow_clients_are_closed_while_good_requests_pass(hasty: Running, first: bytes, drip: bytes, said: bytes) -> None:
    with contextlib.ExitStack() as stack:
        conns = [stack.enter_context(hasty.connect()) for _ in range(20)]
        for conn in conns:
            conn.sendall(first)
        assert hasty.chat().status == 200
        assert said in closes(conns[0], drip)
        until(lambda: not hasty.server.keeper.connections)


def test_the_second_request_of_a_connection_has_a_deadline_too(hasty: Running) -> None:
    with hasty.connect() as conn:
        conn.sendall(SOUND)
        assert b"good day" in conn.recv(65536)
        conn.sendall(HEAD)
        assert b"408" in closes(conn, b"X-Slow: " + b"a" * 1000)


def test_an_idle_connection_is_closed(hasty: Running) -> None:
    with hasty.connect() as conn:
        conn.sendall(SOUND)
        assert b"good day" in closes(conn, b"")


def test_a_large_body_that_keeps_coming_is_not_cut_off(hasty: Running) -> None:
    big = BODY.replace(b'"x"', b'"' + b"x" * 200_000 + b'"')
    with hasty.connect() as conn:
        conn.sendall(HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(big))
        for start in range(0, len(big), 20_000):
            conn.sendall(big[start : start + 20_000])
            time.sleep(0.1)
        assert Reply(read_all(conn)).status == 200


def test_a_client_that_does_not_read_is_dropped_and_its_upstream_with_it(hasty: Running, upstream: ScriptedUpstream) -> None:
    def pours(conn: socket.socket, request: bytes) -> None:
        with contextlib.suppress(OSError):
            conn.sendall(EVENTS_HEAD)
            for _ in range(3000):
                conn.sendall(chunked(chunk("x" * 10_000), end=False))

    upstream.script = pours
    body = BODY[:-1] + b',"stream":true}'
    with hasty.connect() as conn:
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        conn.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        until(lambda: hasty.recorder.records)
    assert hasty.recorder.records[0].status == 499
    assert len(hasty.recorder.records[0].answer_text) < 20_000_000, "what nobody reads is not fetched either"
    assert upstream.gone.wait(5)


def test_one_source_cannot_take_every_connection(hasty: Running) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(hasty.connect())
        until(lambda: len(hasty.server.keeper.connections) == 40)
        assert Reply(hasty.raw(b"")).status == 429
    until(lambda: not hasty.server.keeper.connections)
    assert not hasty.server.keeper.sources
    assert hasty.chat().status == 200


# where from


def test_forwarded_addresses_are_believed_only_from_trusted_proxies(new_gateway: NewGateway, upstream: ScriptedUpstream) -> None:
    gateway = new_gateway(table_for(upstream, **{"trusted-proxies": ["127.0.0.0/8", "10.0.0.0/8"]}))
    cases = {
        "203.0.113.7": "203.0.113.7",
        "6.6.6.6, 203.0.113.7, 10.1.1.1": "203.0.113.7",
        "6.6.6.6, garbage": "127.0.0.1",
        "": "127.0.0.1",
        "10.0.0.1, 10.0.0.2": "10.0.0.1",
    }
    for sent, expected in cases.items():
        gateway.chat(headers={"X-Forwarded-For": sent})
        assert gateway.gate.callers[-1].address == expected


def test_json_errors_are_json(gateway: Running) -> None:
    assert json.loads(Reply(gateway.raw(b"nonsense\r\n\r\n")).body)["error"]["code"] == "invalid_request_error"
