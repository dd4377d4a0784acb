"""Upstreams that fail and clients that do not behave, through a gateway process with its detectors on."""

import contextlib
import json
import socket
import struct
from typing import Any

import pytest
from guard_process import OPEN, Guard, NewGuard, config, until
from scripted_model import Handler, Model


def garbage(handler: Handler, body: dict[str, Any]) -> None:
    del body
    handler.wfile.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    handler.close_connection = True


def truncated(handler: Handler, body: dict[str, Any]) -> None:
    del body
    handler.head(200, "application/json", **{"content-length": "1000"})
    handler.wfile.write(b'{"id": "c1", "choices": [')
    handler.close_connection = True


def half_stream(handler: Handler, body: dict[str, Any]) -> None:
    del body
    handler.head(200, "text/event-stream", **{"transfer-encoding": "chunked"})
    delta = {"id": "c1", "choices": [{"index": 0, "delta": {"content": "so far so good "}, "finish_reason": None}]}
    handler.chunk(b"data: " + json.dumps(delta).encode() + b"\n\n")
    handler.close_connection = True


def no_answer(handler: Handler, body: dict[str, Any]) -> None:
    del body
    handler.whole({"choices": "none", "content": 7})


def not_json(handler: Handler, body: dict[str, Any]) -> None:
    del body
    handler.head(200, "text/html", **{"content-length": "13"})
    handler.wfile.write(b"<html></html>")


def failing(handler: Handler, body: dict[str, Any]) -> None:
    del body
    handler.whole({"error": {"message": "out of memory at /srv/models/secret-path"}}, 500)


def silent(handler: Handler, body: dict[str, Any]) -> None:
    del body
    handler.rfile.read(1)  # until the gateway hangs up


@pytest.mark.parametrize("fault", [garbage, truncated, no_answer, not_json, failing])
def test_an_upstream_that_fails_is_a_clear_error(plain: Guard, model: Model, fault: Any) -> None:
    model.raw = fault
    reply = plain.chat()
    assert reply.status == 502
    assert reply.error["incident_id"].startswith("inc-")
    assert b"secret-path" not in reply.body
    model.reset()
    assert plain.chat().text == "good day"


def test_a_stream_that_breaks_off_ends_with_an_error_event(plain: Guard, model: Model) -> None:
    model.raw = half_stream
    reply = plain.chat(stream=True)
    assert reply.events()[-1]["error"]["code"]
    assert reply.streamed() in {"", "so far so good ", "so far so good"}


def test_an_upstream_that_is_slow_or_gone(new_guard: NewGuard, model: Model) -> None:
    slow = f'[[guard.upstream]]\nname = "slow"\nbase-url = "{model.url}"\nmodels = ["slow"]\nfirst-byte = 0.3\nidle = 0.3\n'
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    dead = f'[[guard.upstream]]\nname = "dead"\nbase-url = "http://127.0.0.1:{port}/v1"\nmodels = ["dead"]\n'
    guard = new_guard(config(model.url, more=slow + dead + OPEN))
    model.raw = silent
    reply = guard.chat(model="slow")
    assert (reply.status, reply.error["code"]) == (504, "upstream_timeout")
    assert guard.chat(model="dead").status == 502
    model.reset()
    model.pause = 0.8
    stream = guard.chat(model="slow", stream=True)
    assert stream.status == 200
    assert "error" in stream.events()[-1]
    assert guard.stop() == 0
    assert "Traceback" not in guard.said


HEAD = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"model":"m","messages":' + b"[" * 200_000 + b"]" * 200_000 + b"}", 400),
        (b'{"model":"m","messages":[{"role":"user","content":"\xff\xfe\xc3"}]}', 400),
        (b'{"model":"m","messages":[{"role":"user","content":"\\ud83d"}]}', None),
        (b'{"model":"m","messages":[{"role":"user","content":"x"', 400),
        (b'{"model":7,"messages":{}}', 400),
        (b"[]", 400),
        (b"", 400),
    ],
    ids=["deep", "no UTF-8", "half a pair", "cut", "wrong types", "array", "empty"],
)
def test_a_bad_body_is_a_clear_error(plain: Guard, model: Model, body: bytes, status: int | None) -> None:
    reply = plain.post("/v1/chat/completions", body)
    assert reply.status == (status or reply.status)
    assert reply.status < 500
    if reply.status != 200:
        assert reply.error["message"]
        assert model.asked == []
    assert plain.chat().status == 200


def test_ten_megabytes_are_refused_in_words(plain: Guard, model: Model) -> None:
    openai = pytest.importorskip("openai")
    with openai.OpenAI(base_url=f"{plain.url}/v1", api_key="unused", max_retries=0) as client:
        with pytest.raises(openai.APIStatusError, match="larger than") as caught:
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "a" * (10 << 20)}])
        assert caught.value.status_code == 413
    assert model.asked == []
    assert plain.chat().status == 200


def test_a_client_that_closes_its_half_gets_a_whole_answer_or_none(plain: Guard, model: Model) -> None:
    body = b'{"model":"m","messages":[{"role":"user","content":"hello there"}]}'
    with plain.connect() as conn:
        conn.sendall(HEAD.format(len(body)).encode() + body)
        conn.shutdown(socket.SHUT_WR)
        data = b""
        with contextlib.suppress(OSError):
            while more := conn.recv(65536):
                data += more
    assert not data or b"good day" in data
    assert plain.chat().status == 200


@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
def test_a_client_that_resets_leaves_nothing_behind(plain: Guard, model: Model, part: float) -> None:
    body = b'{"model":"m","messages":[{"role":"user","content":"hello there"}],"stream":true}'
    model.pause = 0.05
    with plain.connect() as conn:
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.sendall(HEAD.format(len(body)).encode() + body[: int(len(body) * part)])
        if part == 1.0:
            until(lambda: model.asked)
    model.pause = 0.0
    assert plain.chat().status == 200
    assert "Traceback" not in plain.said
