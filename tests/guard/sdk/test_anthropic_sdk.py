"""The official `anthropic` client reads what the dialect writes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hauberk.guard.dialects.dialect import Refusal

anthropic = pytest.importorskip("anthropic")

MESSAGES = "/v1/messages"
ASK: Any = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 1},
}


@pytest.fixture
def client(upstream: Any) -> Iterator[Any]:
    with anthropic.Anthropic(base_url=upstream.url, api_key="k", max_retries=0) as made:
        yield made


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def spoken(*texts: str) -> list[bytes]:
    return [
        event("message_start", message=MESSAGE),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("ping"),
        *(event("content_block_delta", index=0, delta={"type": "text_delta", "text": text}) for text in texts),
        event("content_block_stop", index=0),
        event("content_block_start", index=1, content_block={"type": "tool_use", "id": "tu_1", "name": "f", "input": {}}),
        event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": '{"city":'}),
        event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": '"Paris"}'}),
        event("content_block_stop", index=1),
        event("message_delta", delta={"stop_reason": "tool_use", "stop_sequence": None}, usage={"output_tokens": 9}),
        event("message_stop"),
    ]


def test_an_answer(client: Any, upstream: Any) -> None:
    content = [
        {"type": "text", "text": "the SECRET is out"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": "SECRET"}},
    ]
    upstream.answers[MESSAGES] = {**MESSAGE, "content": content, "stop_reason": "tool_use"}
    made = client.messages.create(**ASK)
    assert made.content[0].text == "the [redacted] is out"
    assert made.content[1].input == {"a": "[redacted]"}


def test_a_stream(client: Any, upstream: Any) -> None:
    upstream.streams[MESSAGES] = spoken("the SEC", "RET is ", "out")
    with client.messages.stream(**ASK) as stream:
        assert "".join(stream.text_stream) == "the [redacted] is out"
        made = stream.get_final_message()
    assert made.content[0].text == "the [redacted] is out"
    assert (made.content[1].name, made.content[1].input) == ("f", {"city": "Paris"})
    assert (made.stop_reason, made.usage.output_tokens) == ("tool_use", 9)


def test_a_stream_that_is_broken_off_raises(client: Any, upstream: Any) -> None:
    upstream.streams[MESSAGES] = spoken("good. " * 100, "FORBIDDEN")
    events: list[Any] = []
    with pytest.raises(anthropic.APIStatusError, match="inc_123") as caught:
        events.extend(client.messages.create(**ASK, stream=True))
    got = "".join(told.delta.text for told in events if told.type == "content_block_delta")
    assert caught.value.body["error"]["code"] == "content_blocked"
    assert got.startswith("good. ")
    assert "FORBIDDEN" not in got


@pytest.mark.parametrize(
    ("status", "raised"),
    [(400, "BadRequestError"), (401, "AuthenticationError"), (403, "PermissionDeniedError"), (429, "RateLimitError")],
)
def test_an_error_is_raised_with_its_incident(client: Any, upstream: Any, status: int, raised: str) -> None:
    upstream.refusal = Refusal(status, "content_blocked", "The request was blocked.", incident="inc_123")
    with pytest.raises(getattr(anthropic, raised), match="inc_123") as caught:
        client.messages.create(**ASK)
    assert caught.value.body["error"]["incident_id"] == "inc_123"


def test_a_request_that_cannot_be_read_is_refused(client: Any) -> None:
    with pytest.raises(anthropic.BadRequestError, match=r"messages\[0\]\.content"):
        client.messages.create(**{**ASK, "messages": [{"role": "user", "content": 7}]})
