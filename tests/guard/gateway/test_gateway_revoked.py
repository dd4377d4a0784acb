"""A key that is revoked while its answer streams: the stream ends with a clear last event, and the model's work with it."""

import asyncio
import json
import socket

import pytest
from gateway_harness import EVENTS_HEAD, STREAM, CountingGate, NewGateway, Running, ScriptedUpstream, chunked, table_for, until

from hauberk.guard.exchange import Exchange
from hauberk.guard.gateway.hooks import Decision, Grant
from hauberk.guard.gateway.open_hooks import OpenInspector
from hauberk.guard.gateway.standing import Standing
from hauberk.guard.stream.session import StreamSession


class Guarded(OpenInspector):
    """Holds streams back as a real guard does, and finds nothing."""

    def session(self, _exchange: Exchange) -> StreamSession:
        return StreamSession(lambda _channel, _text, **_about: Decision())


def begins(conn: socket.socket, request: bytes) -> None:
    """A stream that says two words and then nothing more."""
    if b'"stream":true' in request:
        conn.sendall(EVENTS_HEAD + chunked(*STREAM[:2], end=False))
        conn.recv(1)  # until the gateway has had enough


def asked(gateway: Running) -> socket.socket:
    body = json.dumps(
        {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": True}, separators=(",", ":")
    ).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    conn = gateway.connect()
    conn.sendall(head.encode() + body)
    return conn


def patient(upstream: ScriptedUpstream) -> dict[str, object]:
    table = table_for(upstream)
    table["upstream"][0].update({"idle": 30.0, "total": 60.0})
    return table


def read_until(conn: socket.socket, mark: bytes) -> bytes:
    data = bytearray()
    while data.find(mark, max(0, len(data) - 70_000)) < 0:
        more = conn.recv(65536)
        assert more, data[-1000:]
        data += more
    return bytes(data)


@pytest.mark.parametrize("inspector", [OpenInspector(), Guarded()], ids=["bare", "guarded"])
def test_the_stream_ends_with_a_clear_event_within_two_looks(
    upstream: ScriptedUpstream, new_gateway: NewGateway, inspector: OpenInspector
) -> None:
    upstream.script = begins
    gateway = new_gateway(patient(upstream), inspector)
    with asked(gateway) as conn:
        read_until(conn, b"word1 ")
        gateway.gate.revoked.add("k0")
        rest = read_until(conn, b"\r\n0\r\n\r\n")
    events = [line[6:] for line in rest.split(b"\n") if line.startswith(b"data: ")]
    assert events[-1] == b"[DONE]"
    error = json.loads(events[-2])["error"]
    assert (error["code"], error["type"]) == ("invalid_api_key", "authentication_error")
    assert upstream.gone.wait(5), "the model's work was cancelled"
    until(lambda: gateway.gate.settled)
    ((_, _, completed),) = gateway.gate.settled
    assert completed is False
    (record,) = gateway.recorder.records
    assert (record.error, record.stream) == ("the key no longer stands", True)


def test_other_keys_streams_go_on(upstream: ScriptedUpstream, new_gateway: NewGateway) -> None:
    upstream.script = begins
    gateway = new_gateway(patient(upstream))
    with asked(gateway) as first, asked(gateway) as second:
        read_until(first, b"word1 ")
        read_until(second, b"word1 ")
        gateway.gate.revoked.add(gateway.gate.granted[0].key_id)
        until(lambda: gateway.gate.settled)
        assert gateway.gate.settled[0][0].key_id == gateway.gate.granted[0].key_id
        until(lambda: gateway.gateway.calls == 1)
        asked_before = gateway.gate.looked
        until(lambda: gateway.gate.looked > asked_before)
        assert gateway.gateway.calls == 1


def test_a_timer_runs_only_while_something_streams() -> None:
    class Call:
        def __init__(self, gate: CountingGate) -> None:
            self.gate, self.grant, self.open, self.ended = gate, Grant(key_id="k"), True, None

    async def run() -> None:
        gate = CountingGate()
        call = Call(gate)
        standing = Standing(0.01)
        standing.enter(call)
        await asyncio.sleep(0.1)
        assert gate.looked > 1
        standing.leave(call)
        await asyncio.sleep(0.03)
        looked = gate.looked
        assert standing._timer is None
        await asyncio.sleep(0.03)
        assert gate.looked == looked
        assert call.ended is None
        gate.revoked.add("k")
        standing.enter(call)
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(5)
        assert call.ended is not None

    asyncio.run(run())
