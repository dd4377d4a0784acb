import json
import socket

import pytest
from gateway_harness import NewGateway, NewUpstream, Running, ScriptedUpstream

from hauberk.guard.dialects.dialect import Refusal


def test_json_answer_passes_byte_for_byte(gateway: Running, upstream: ScriptedUpstream) -> None:
    reply = gateway.chat()
    assert reply.status == 200
    assert reply.json()["choices"][0]["message"]["content"] == "good day"
    assert reply.headers["x-hauberk-decision"] == "allow"
    assert reply.headers["x-hauberk-fail"] == "closed"
    assert reply.headers["x-hauberk-gaps"] == "0"
    assert reply.headers["x-ratelimit-remaining-requests"] == "7"
    (record,) = gateway.recorder.records
    assert record.request_id == reply.headers["x-hauberk-request-id"]
    assert (record.status, record.model, record.upstream, record.usage.input, record.usage.output) == (200, "m", "u0", 3, 2)
    assert record.answer_text == "good day"
    assert gateway.gate.settled[0][2] is True


def test_stream_passes_and_ends(gateway: Running) -> None:
    reply = gateway.chat(stream=True)
    assert reply.status == 200
    assert reply.complete
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.text() == "".join(f"word{i} " for i in range(20))
    assert reply.events()[-1] == "[DONE]"
    (record,) = gateway.recorder.records
    assert record.stream
    assert record.first_token is not None


def test_credentials_of_the_client_never_reach_the_upstream(gateway: Running, upstream: ScriptedUpstream) -> None:
    for name in ("Authorization", "x-api-key", "api-key"):
        value = "Bearer sk-client-secret" if name == "Authorization" else "sk-client-secret"
        assert gateway.chat(headers={name: value, "Cookie": "session=1", "x-forwarded-for": "9.9.9.9"}).status == 200
        assert gateway.gate.callers[-1].credential == "sk-client-secret"
        assert gateway.gate.callers[-1].address == "127.0.0.1"
    for request in upstream.requests:
        head = request.partition(b"\r\n\r\n")[0].lower()
        assert b"sk-client-secret" not in head
        assert b"cookie" not in head
        assert b"9.9.9.9" not in head


def test_the_upstream_gets_its_own_key_and_the_client_never_sees_it(
    new_upstream: NewUpstream, new_gateway: NewGateway, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("UP_KEY", "sk-upstream-secret-1234")

    def tells(conn: socket.socket, request: bytes) -> None:
        body = json.dumps({"error": {"message": "bad model for sk-upstream-secret-1234"}}).encode()
        conn.sendall(b"HTTP/1.1 400 Bad\r\nx-echo: sk-upstream-secret-1234\r\ncontent-length: %d\r\n\r\n" % len(body) + body)

    upstream = new_upstream(tells)
    entry = {"name": "u", "base-url": upstream.url, "models": ["m"], "key-env": "UP_KEY"}
    gateway = new_gateway({"upstream": [entry]})
    reply = gateway.chat()
    assert reply.status == 400
    assert b"authorization: Bearer sk-upstream-secret-1234" in upstream.requests[0]
    assert b"sk-upstream" not in reply.raw
    assert "sk-upstream" not in caplog.text


def test_an_upstream_that_rejects_our_key_is_our_fault(gateway: Running, upstream: ScriptedUpstream) -> None:
    upstream.script = lambda conn, _: conn.sendall(
        b'HTTP/1.1 401 No\r\ncontent-length: 38\r\n\r\n{"error":{"message":"sk-upstr..1234"}}'
    )
    reply = gateway.chat()
    assert reply.status == 502
    assert b"sk-upstr" not in reply.raw
    assert reply.error["incident_id"] == reply.headers["x-hauberk-incident"] == gateway.recorder.records[0].incident


def test_only_chosen_headers_come_back(gateway: Running, upstream: ScriptedUpstream) -> None:
    extra = "set-cookie: a=b\r\nserver: nginx\r\nx-ratelimit-remaining-requests: 99\r\nopenai-version: 1\r\nx-hauberk-gaps: 5\r\n"
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{extra}content-length: "

    def script(conn: socket.socket, _: bytes) -> None:
        from_conftest = b'{"choices":[{"index":0,"message":{"content":"x"}}]}'
        conn.sendall(head.encode() + b"%d\r\n\r\n" % len(from_conftest) + from_conftest)

    upstream.script = script
    reply = gateway.chat()
    assert reply.status == 200
    assert "set-cookie" not in reply.headers
    assert "server" not in reply.headers
    assert reply.headers["openai-version"] == "1"
    assert reply.headers["x-ratelimit-remaining-requests"] == "7"
    assert reply.headers["x-hauberk-gaps"] == "0"


def test_strangers_are_refused_before_their_body_is_read(gateway: Running, upstream: ScriptedUpstream) -> None:
    gateway.gate.refusal = Refusal(401, "invalid_api_key", "No such key.", type="authentication_error")
    reply = gateway.chat()
    assert reply.status == 401
    assert reply.error["code"] == "invalid_api_key"
    assert not upstream.requests
    assert gateway.get("/v1/models").status == 401


def test_limits_say_when_to_come_back(gateway: Running, upstream: ScriptedUpstream) -> None:
    gateway.gate.admit_refusal = Refusal(429, "rate_limit_exceeded", "Slower.", retry_after=1.2)
    reply = gateway.chat()
    assert reply.status == 429
    assert reply.headers["retry-after"] == "2"
    assert not gateway.gate.settled
    assert gateway.recorder.records[0].status == 429


def test_models_for_both_families(gateway: Running) -> None:
    listed = gateway.get("/v1/models").json()
    assert [model["id"] for model in listed["data"]] == ["m"]
    assert listed["object"] == "list"
    assert listed["has_more"] is False
    assert gateway.get("/v1/models/m").json()["id"] == "m"
    assert gateway.get("/v1/models/other").status == 404


def test_other_paths_and_methods(gateway: Running) -> None:
    assert gateway.get("/v1/files").status == 404
    assert gateway.get("/v1/files").error["code"] == "unknown_url"
    reply = gateway.get("/v1/chat/completions")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert gateway.get("/v1/models", "DELETE").status == 405
    assert gateway.get("/healthz").body == b"ok\n"
    assert gateway.get("/readyz").status == 200
    assert gateway.get("/metrics").body == b"up 1\n"
    assert gateway.get("/v1/models", "HEAD").body == b""


def test_a_model_nobody_serves(gateway: Running, upstream: ScriptedUpstream) -> None:
    reply = gateway.chat(model="gpt-9")
    assert reply.status == 404
    assert reply.error["code"] == "model_not_found"
    assert not upstream.requests


def test_aliases_rename_there_and_back(new_upstream: NewUpstream, new_gateway: NewGateway) -> None:
    upstream = new_upstream()
    model = {"name": "house", "to": [{"upstream": "u", "model": "m"}]}
    gateway = new_gateway({"upstream": [{"name": "u", "base-url": upstream.url}], "model": [model]})
    reply = gateway.chat(model="house")
    assert json.loads(upstream.requests[0].partition(b"\r\n\r\n")[2])["model"] == "m"
    assert reply.json()["model"] == "house"
    reply = gateway.chat(model="house", stream=True)
    assert {event["model"] for event in reply.events()[:-1]} == {"house"}


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
def test_an_openai_upstream_serves_no_anthropic_calls(gateway: Running, path: str) -> None:
    body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
    reply = gateway.post(path, body)
    assert reply.status == 404
    assert reply.json()["type"] == "error"


def test_count_tokens_passes_through(new_upstream: NewUpstream, new_gateway: NewGateway) -> None:
    upstream = new_upstream(
        lambda conn, _: conn.sendall(
            b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 19\r\n\r\n{"input_tokens":12}'
        )
    )
    entry = {"name": "u", "base-url": upstream.url, "models": ["c"], "api": "anthropic"}
    gateway = new_gateway({"upstream": [entry]})
    body = {"model": "c", "messages": [{"role": "user", "content": "hi"}]}
    reply = gateway.post("/v1/messages/count_tokens", body, {"anthropic-version": "2023-06-01"})
    assert (reply.status, reply.json()) == (200, {"input_tokens": 12})
    assert upstream.requests[0].startswith(b"POST /v1/messages/count_tokens HTTP/1.1\r\n")
    assert b"anthropic-version: 2023-06-01" in upstream.requests[0]


def test_connections_to_the_upstream_are_kept(gateway: Running, upstream: ScriptedUpstream) -> None:
    before = gateway.gateway.generation.directory.upstreams["u0"].pool.open
    for _ in range(5):
        assert gateway.chat().status == 200
    assert gateway.gateway.generation.directory.upstreams["u0"].pool.open <= max(before, 1)


def test_what_cannot_be_recorded_is_not_answered(gateway: Running) -> None:
    gateway.recorder.error = OSError("disk full")
    reply = gateway.chat()
    assert reply.status == 503
    assert reply.error["code"] == "audit_unavailable"
    assert b"good day" not in reply.raw
    reply = gateway.chat(stream=True)
    assert reply.events()[-2]["error"]["code"] == "audit_unavailable"
