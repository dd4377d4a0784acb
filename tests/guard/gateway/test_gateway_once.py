"""Whatever fails, and whenever a call is cancelled: its grant is settled once and its record is written once."""

import asyncio
from collections.abc import Callable
from typing import Any

from gateway_harness import ANSWER, STREAM, CountingGate, KeepingRecorder
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.core import Action
from hauberk.guard.dialects.dialect import Refusal
from hauberk.guard.exchange import Answer, Exchange
from hauberk.guard.gateway.app import LOST, Gateway, Parts
from hauberk.guard.gateway.hooks import Decision, Grant, Release
from hauberk.guard.gateway.open_hooks import OpenInspector, OpenSession
from hauberk.guard.gateway.upstream.errors import Broken, Busy, ConnectFailed, TimedOut
from hauberk.guard.settings import guard_settings

BLOCK = Decision(Action.BLOCK, refusal=Refusal(403, "content_blocked", "No."))
BODY = b'{"model":"m","messages":[{"role":"user","content":"x"}]}'
ERRORS = (Broken("x"), Busy("x"), ConnectFailed("x"), TimedOut("x"), RuntimeError("bug"))


async def steps(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


class SlowGate(CountingGate):
    async def admit(self, caller: Any, exchange: Exchange) -> Grant | Refusal:
        await steps(2)
        return await super().admit(caller, exchange)


class SlowRecorder(KeepingRecorder):
    async def finished(self, record: Any) -> None:
        await steps(2)
        await super().finished(record)
        await steps(2)


class FaultyInspector(OpenInspector):
    def __init__(self, fault: str) -> None:
        self.fault = fault

    async def request(self, _exchange: Exchange) -> Decision:
        await steps(2)
        return self._of("request")

    async def answer(self, _exchange: Exchange, _answer: Answer) -> Decision:
        await steps(2)
        return self._of("answer")

    def session(self, _exchange: Exchange) -> OpenSession:
        return FaultySession(self)

    def _of(self, where: str) -> Decision:
        if self.fault == f"{where}-raises":
            raise RuntimeError(where)
        return BLOCK if self.fault == f"{where}-blocks" else Decision()


class FaultySession(OpenSession):
    def __init__(self, inspector: FaultyInspector) -> None:
        self.inspector = inspector

    async def push(self, channel: str, text: str, tool: str = "") -> Release:
        del tool
        await steps(1)
        decision = self.inspector._of("answer")
        return Release(((channel, text),), decision if decision.refusal else None)


class FakeReply:
    """An upstream's answer that fails after some pieces."""

    def __init__(self, pieces: list[bytes], error: Exception | None, kind: bytes, status: int) -> None:
        self.pieces, self.error, self.status = list(pieces), error, status
        self.headers = {b"content-type": kind}
        self.media_type = kind
        self.released = 0

    def forget_head(self) -> None:
        self.headers = {}

    async def read(self, _wait: float | None = None) -> bytes:
        await steps(1)
        if self.pieces:
            return self.pieces.pop(0)
        if self.error is not None:
            raise self.error
        return b""

    async def whole(self, _most: int) -> bytes:
        data = b""
        while piece := await self.read():
            data += piece
        return data

    async def drain(self, _seconds: float) -> None:
        await steps(1)

    def release(self) -> None:
        self.released += 1


async def call(
    gateway: Gateway, reply: FakeReply | Exception, *, stream: bool, leave: int, kill: int, gone: int
) -> list[dict[str, Any]]:
    """One call; the client leaves, or the server cancels, after so many turns of the loop (0: never)."""

    async def send_upstream(*_args: object) -> FakeReply:
        await steps(2)
        if isinstance(reply, Exception):
            raise reply
        return reply

    gateway.generation.directory.upstreams["u"].send = send_upstream
    sent: list[dict[str, Any]] = []
    lost: list[Callable[[], None] | None] = [None]

    def watch(tell: Callable[[], None] | None) -> None:
        lost[0] = tell

    async def receive() -> dict[str, Any]:
        await steps(1)
        if gone:
            return {"type": "http.disconnect"}
        body = BODY[:-1] + b',"stream":true}' if stream else BODY
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        await steps(1)
        sent.append(message)

    scope = {"type": "http", "path": "/v1/chat/completions", "method": "POST", "headers": [], "client": ("1.2.3.4", 5)}
    running = asyncio.ensure_future(gateway({**scope, "extensions": {LOST: watch}}, receive, send))
    for turn in range(1, 400):
        await asyncio.sleep(0)
        if running.done():
            break
        if turn == leave and lost[0] is not None:
            lost[0]()
        if turn == kill:
            running.cancel()
    await asyncio.wait([running], timeout=5)
    assert running.done()
    if not running.cancelled():
        running.result()
    await steps(10)
    return sent


PIECES = st.integers(0, len(STREAM)).flatmap(lambda n: st.just(STREAM[:n]))
FAULTS = st.sampled_from(["", "request-raises", "request-blocks", "answer-raises", "answer-blocks"])


@settings(max_examples=400, deadline=None)
@given(
    stream=st.booleans(),
    pieces=PIECES,
    error=st.sampled_from((None, *ERRORS)),
    refuses=st.sampled_from((None, None, *ERRORS)),
    status=st.sampled_from([200, 200, 200, 400, 401, 429, 500]),
    fault=FAULTS,
    fail=st.sampled_from(["open", "closed"]),
    leave=st.integers(0, 60),
    kill=st.integers(0, 60),
    gone=st.sampled_from([0, 0, 0, 1]),
    unrecorded=st.booleans(),
)
def test_every_call_is_settled_and_recorded_once(
    *,
    stream: bool,
    pieces: list[bytes],
    error: Exception | None,
    refuses: Exception | None,
    status: int,
    fault: str,
    fail: str,
    leave: int,
    kill: int,
    gone: int,
    unrecorded: bool,
) -> None:
    table = {"upstream": [{"name": "u", "base-url": "http://u/v1", "models": ["m"]}], "retries": {"most": 0}, "fail": fail}
    gate, recorder = SlowGate(), SlowRecorder()
    recorder.error = OSError("disk full") if unrecorded else None
    gateway = Gateway(guard_settings(table), Parts(gate, FaultyInspector(fault), recorder))
    whole = pieces if stream else [ANSWER[:10], ANSWER[10:]]
    reply = FakeReply(whole, error, b"text/event-stream" if stream else b"application/json", status)
    sent = asyncio.run(call(gateway, refuses or reply, stream=stream, leave=leave, kill=kill, gone=gone))

    assert [grant.key_id for grant, _, _ in gate.settled] == [grant.key_id for grant in gate.granted]
    assert len(recorder.records) == 1
    assert gateway.calls == 0
    starts = [message for message in sent if message["type"] == "http.response.start"]
    ends = [message for message in sent if message["type"] == "http.response.body" and not message["more_body"]]
    assert len(starts) <= 1
    assert len(ends) <= 1
    if not (leave or kill or gone):
        assert len(starts) == len(ends) == 1
    if fault.endswith("blocks") and starts and starts[0]["status"] == 200 and not stream:
        raise AssertionError("a blocked answer went out")
    if unrecorded and fail == "closed" and ends and not stream:
        assert starts[0]["status"] != 200
