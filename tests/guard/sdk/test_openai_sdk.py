"""The official `openai` client, LangChain's ChatOpenAI and curl read what the dialects write."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from hauberk.guard.dialects.dialect import Refusal

openai = pytest.importorskip("openai")

CHAT, COMPLETIONS, RESPONSES, EMBEDDINGS = "/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings"
BLOCKED = Refusal(403, "content_blocked", "The request was blocked by the content policy.", incident="inc_123")
ASK: Any = [{"role": "user", "content": "hi"}]


@pytest.fixture
def client(upstream: Any) -> Iterator[Any]:
    with openai.OpenAI(base_url=f"{upstream.url}/v1", api_key="k", max_retries=0) as made:
        yield made


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: " + json.dumps({**head, "choices": choices, **more}).encode() + b"\r\n\r\n"


USAGE = chunk({}, usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}, choices=[])
DONE = b"data: [DONE]\n\n"


def spoken(*texts: str) -> list[bytes]:
    return [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": text}) for text in texts),
        chunk({}, "stop"),
        USAGE,
        DONE,
    ]


def called() -> list[bytes]:
    def call(index: int, **function: str) -> dict[str, Any]:
        head = {"id": f"call_{index}", "type": "function"} if "name" in function else {}
        return {"tool_calls": [{"index": index, **head, "function": function}]}

    return [
        chunk({"role": "assistant", "content": None}),
        chunk(call(0, name="f", arguments="")),
        chunk(call(0, arguments='{"city":')),
        chunk(call(0, arguments='"Paris"}')),
        chunk(call(1, name="g", arguments='{"x":1}')),
        chunk({}, "tool_calls"),
        DONE,
    ]


def answer(content: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
    }


def test_an_answer(client: Any, upstream: Any) -> None:
    upstream.answers[CHAT] = answer("the SECRET is out")
    made = client.chat.completions.create(model="m", messages=ASK)
    assert made.choices[0].message.content == "the [redacted] is out"
    assert made.usage.total_tokens == 7


def test_models(client: Any) -> None:
    assert [model.id for model in client.models.list()] == ["m"]


@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (429, "RateLimitError"),
        (503, "InternalServerError"),
    ],
)
def test_an_error_is_raised_with_its_code_and_incident(client: Any, upstream: Any, status: int, raised: str) -> None:
    upstream.refusal = Refusal(status, "content_blocked", "The request was blocked.", param="messages", incident="inc_123")
    for ask in (
        lambda: client.chat.completions.create(model="m", messages=ASK),
        lambda: client.responses.create(model="m", input="hi"),
        lambda: client.embeddings.create(model="m", input="hi"),
    ):
        with pytest.raises(getattr(openai, raised)) as caught:
            ask()
        assert (caught.value.code, caught.value.param) == ("content_blocked", "messages")
        assert "inc_123" in str(caught.value)
        assert caught.value.body["incident_id"] == "inc_123"


def test_a_request_that_cannot_be_read_names_its_parameter(client: Any) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": 7}])
    assert caught.value.param == "messages[0].content"


def test_a_stream(client: Any, upstream: Any) -> None:
    upstream.streams[CHAT] = spoken("the SEC", "RET is ", "out")
    chunks = list(client.chat.completions.create(model="m", messages=ASK, stream=True))
    assert "".join(part.choices[0].delta.content or "" for part in chunks) == "the [redacted] is out"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(part.usage is None for part in chunks)
    assert upstream.asked[0]["stream_options"] == {"include_usage": True}


def test_a_stream_with_usage(client: Any, upstream: Any) -> None:
    upstream.streams[CHAT] = spoken("hello")
    chunks = list(client.chat.completions.create(model="m", messages=ASK, stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].usage.total_tokens == 7


def test_a_stream_that_is_broken_off_raises(client: Any, upstream: Any) -> None:
    upstream.streams[CHAT] = spoken("good start. " * 50, "then FORBIDDEN words", " and more")
    parts: list[Any] = []
    with pytest.raises(openai.APIError, match="inc_123") as caught:
        parts.extend(client.chat.completions.create(model="m", messages=ASK, stream=True))
    got = "".join(part.choices[0].delta.content or "" for part in parts)
    assert caught.value.code == "content_blocked"
    assert caught.value.body["incident_id"] == "inc_123"
    assert got.startswith("good start.")
    assert "FORBIDDEN" not in got


def test_the_clients_own_accumulator_follows_a_stream_of_calls(client: Any, upstream: Any) -> None:
    upstream.streams[CHAT] = called()
    tools: Any = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in ("f", "g")]
    with client.chat.completions.stream(model="m", messages=ASK, tools=tools) as stream:
        made = stream.get_final_completion()
    calls = [(call.id, call.function.name, call.function.arguments) for call in made.choices[0].message.tool_calls]
    assert calls == [("call_0", "f", '{"city":"Paris"}'), ("call_1", "g", '{"x":1}')]


def test_completions(client: Any, upstream: Any) -> None:
    def part(text: str, finish: str | None = None) -> bytes:
        choices = [{"index": 0, "text": text, "finish_reason": finish, "logprobs": None}]
        body = {"id": "c", "object": "text_completion", "created": 1, "model": "m", "choices": choices}
        return b"data: " + json.dumps(body).encode() + b"\n\n"

    upstream.streams[COMPLETIONS] = [part("the SECRET"), part(" word", "stop"), DONE]
    chunks = list(client.completions.create(model="m", prompt="x", stream=True))
    assert "".join(each.choices[0].text for each in chunks) == "the [redacted] word"


def test_embeddings(client: Any, upstream: Any) -> None:
    data = [{"object": "embedding", "index": 0, "embedding": [0.25, -0.5]}]
    upstream.answers[EMBEDDINGS] = {"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}}
    made = client.embeddings.create(model="m", input="x", encoding_format="float")
    assert made.data[0].embedding == [0.25, -0.5]


def response(text: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "m",
        "status": "completed",
        "error": None,
        "output": [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
    }


def replied(*texts: str) -> list[bytes]:
    whole = response("".join(texts))
    item = whole["output"][0]
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    empty = {"type": "output_text", "text": "", "annotations": []}
    told = [
        {"type": "response.created", "response": {**whole, "output": [], "status": "in_progress", "usage": None}},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": [], "status": "in_progress"}},
        {"type": "response.content_part.added", **place, "part": empty},
        *({"type": "response.output_text.delta", **place, "delta": text, "logprobs": []} for text in texts),
        {"type": "response.output_text.done", **place, "text": "".join(texts), "logprobs": []},
        {"type": "response.content_part.done", **place, "part": item["content"][0]},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    numbered = [{**each, "sequence_number": number} for number, each in enumerate(told)]
    return [f"event: {each['type']}\ndata: {json.dumps(each)}\n\n".encode() for each in numbered]


def test_a_response(client: Any, upstream: Any) -> None:
    upstream.answers[RESPONSES] = response("the SECRET is out")
    assert client.responses.create(model="m", input="hi").output_text == "the [redacted] is out"


def test_a_stream_of_a_response_says_nothing_twice_that_was_redacted(client: Any, upstream: Any) -> None:
    upstream.streams[RESPONSES] = replied("the SEC", "RET is out")
    with client.responses.stream(model="m", input="hi") as stream:
        events = list(stream)
        final = stream.get_final_response()
    assert final.output_text == "the [redacted] is out"
    assert "SECRET" not in "".join(repr(event) for event in events)
    assert final.usage.output_tokens == 2


def test_a_stream_of_a_response_that_is_broken_off_raises(client: Any, upstream: Any) -> None:
    upstream.streams[RESPONSES] = replied("good. " * 100, "FORBIDDEN")
    events: list[Any] = []
    with pytest.raises(openai.APIError, match="inc_123") as caught:
        events.extend(client.responses.create(model="m", input="hi", stream=True))
    got = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert caught.value.code == "content_blocked"
    assert got.startswith("good. ")
    assert "FORBIDDEN" not in got


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_langchain(upstream: Any) -> None:
    chat = pytest.importorskip("langchain_openai").ChatOpenAI(base_url=f"{upstream.url}/v1", api_key="k", model="m", max_retries=0)
    upstream.answers[CHAT] = answer("the SECRET is out")
    assert chat.invoke("hi").content == "the [redacted] is out"
    upstream.streams[CHAT] = spoken("the SEC", "RET is out")
    assert "".join(part.content for part in chat.stream("hi")) == "the [redacted] is out"
    upstream.streams[CHAT] = called()
    whole = None
    for part in chat.stream("hi"):
        whole = part if whole is None else whole + part
    assert [(call["name"], call["args"]) for call in whole.tool_calls] == [("f", {"city": "Paris"}), ("g", {"x": 1})]
    upstream.streams[CHAT] = spoken("FORBIDDEN")
    with pytest.raises(openai.APIError, match="inc_123"):
        list(chat.stream("hi"))
    upstream.refusal = BLOCKED
    with pytest.raises(openai.PermissionDeniedError, match="inc_123"):
        chat.invoke("hi")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl(upstream: Any) -> None:
    upstream.streams[CHAT] = spoken("the SECRET is out")
    body = json.dumps({"model": "m", "messages": ASK, "stream": True})
    command = ["curl", "-sSN", "--max-time", "10", "-H", "content-type: application/json", "-d", body, upstream.url + CHAT]
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    assert lines[-2] == "data: [DONE]"
    said = [json.loads(line[6:])["choices"][0]["delta"].get("content") for line in lines if line.startswith("data: {")]
    assert "".join(text or "" for text in said) == "the [redacted] is out"
