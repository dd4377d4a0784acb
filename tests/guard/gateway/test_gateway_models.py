"""The list of models in front of upstreams that pass every name on."""

import json
import socket
import time
from collections.abc import Callable, Iterator

import pytest
from gateway_harness import Running, ScriptedUpstream, http_answer, until

from hauberk.guard.gateway.hooks import Grant
from hauberk.guard.gateway.upstream import offer

Start = Callable[..., Running]


def listing(*names: object) -> bytes:
    return http_answer(json.dumps({"object": "list", "data": [{"id": name, "object": "model"} for name in names]}).encode())


def answering(data: bytes) -> Callable[[socket.socket, bytes], None]:
    return lambda conn, _request: conn.sendall(data)


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    made = ScriptedUpstream()
    yield made
    made.close()


@pytest.fixture
def gateway(upstream: ScriptedUpstream) -> Iterator[Running]:
    target = {"upstream": "u", "model": "qwen-7b"}
    servers = [{"name": "u", "base-url": upstream.url, "models": ["*"]}]
    made = Running({"upstream": servers, "model": [{"name": "small", "to": [target]}]})
    yield made
    made.stop()


def names(gateway: Running) -> list[str]:
    return [model["id"] for model in gateway.get("/v1/models").json()["data"]]


def test_the_upstreams_models_are_listed_with_the_aliases(gateway: Running, upstream: ScriptedUpstream) -> None:
    upstream.script = answering(listing("qwen-7b", "qwen-72b", 7, "small", "x" * 300))
    assert names(gateway) == ["small", "qwen-7b", "qwen-72b"]
    assert gateway.get("/v1/models/qwen-72b").json()["id"] == "qwen-72b"
    assert gateway.get("/v1/models/other").status == 404
    assert len(upstream.requests) == 1, "asked once a minute"
    assert upstream.requests[0].startswith(b"GET /v1/models HTTP/1.1\r\n")


def test_a_key_sees_what_it_may_use(gateway: Running, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    def allowed(_grant: Grant, model: str) -> bool:
        return model.endswith("7b")

    monkeypatch.setattr(gateway.gate, "allows_model", allowed)
    upstream.script = answering(listing("qwen-7b", "qwen-72b"))
    assert names(gateway) == ["qwen-7b"]
    assert gateway.get("/v1/models/qwen-72b").status == 404


LIES = {
    "no JSON": http_answer(b"<html>"),
    "no list": http_answer(b'{"data": {"id": "a"}}'),
    "an error": http_answer(b'{"data": [{"id": "a"}]}', "500 Internal Server Error"),
    "no HTTP": b"hello\r\n\r\n",
    "too long": http_answer(b'{"data": ["' + b"a" * offer.MOST_BYTES + b'"]}'),
    "cut": http_answer(b'{"data": []}')[:-3],
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lying_upstream_leaves_the_names_that_are_known(gateway: Running, upstream: ScriptedUpstream, lie: str) -> None:
    def say(conn: socket.socket, _request: bytes) -> None:
        conn.sendall(LIES[lie])
        conn.close()

    upstream.script = say
    assert names(gateway) == ["small"]


def test_a_silent_upstream_is_not_waited_for_long_nor_asked_by_everybody(
    gateway: Running, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offer, "WAIT", 0.2)
    upstream.script = lambda _conn, _request: time.sleep(1)
    assert names(gateway) == names(gateway) == ["small"]
    assert len(upstream.requests) == 1


def test_a_dead_upstream_is_asked_again_after_a_while(
    gateway: Running, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offer, "FAILED", 0.05)
    upstream.script = lambda conn, _request: conn.close()
    assert names(gateway) == ["small"]
    upstream.script = answering(listing("back"))
    until(lambda: names(gateway) == ["small", "back"])
