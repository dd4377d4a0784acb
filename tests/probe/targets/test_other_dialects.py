"""Completions, responses and Anthropic's Messages, whole and streamed."""

import json
from typing import Any

import pytest
from aiohttp import web
from stub_api import asked, events, failed, told, user

from hauberk.assets.chat import Role, ToolCall, ToolSpec
from hauberk.probe.targets.target import Fault, Message, Reply, Request, TargetError

TALK = Request(
    (
        Message(Role.SYSTEM, "Be kind."),
        Message(Role.USER, "Look", images=(b"\xff\xd8\xffjpeg",)),
        Message(Role.ASSISTANT, "Well", calls=(ToolCall("pay", '{"sum":1}', "c1"), ToolCall("pay", "not json", "c2"))),
        Message(Role.TOOL, "paid", call_id="c1"),
        Message(Role.TOOL, "bad", call_id="c2"),
        Message(Role.USER, "So?"),
    ),
    tools=(ToolSpec("pay", "Pays."),),
    temperature=1.5,
)


def heard(prefix: str, answer: Any, request: Request, **options: Any) -> tuple[dict[str, Any], web.Request, Reply]:
    got: list[Any] = []

    async def handler(asking: web.Request) -> web.Response:
        got.extend((await asking.json(), asking))
        return web.json_response(answer)

    reply = asked(handler, request, prefix=prefix, **options)
    return got[0], got[1], reply


def stream_of(prefix: str, *pieces: Any, done: bool = False, **options: Any) -> Reply:
    return asked(told(body=events(*pieces, done=done), kind="text/event-stream"), prefix=prefix, stream=True, **options)


# Completions


def test_completions_take_one_message_as_it_is() -> None:
    body, asking, reply = heard("openai-completions:", {"choices": [{"text": " there", "finish_reason": "length"}]}, user("Once"))
    assert asking.path == "/v1/completions"
    assert body["prompt"] == "Once"
    assert (reply.text, reply.finish) == (" there", "length")


def test_completions_take_a_conversation_as_lines() -> None:
    talk = Request(
        (Message(Role.SYSTEM, "Be kind."), Message(Role.USER, "Hi"), Message(Role.ASSISTANT, "Yo"), Message(Role.USER, "So?"))
    )
    body, _, _ = heard("openai-completions:", {"choices": [{"text": "x"}]}, talk)
    assert body["prompt"] == "Be kind.\n\nUser: Hi\n\nAssistant: Yo\n\nUser: So?\n\nAssistant:"


def test_completions_stream() -> None:
    pieces = [{"choices": [{"text": "a"}]}, {"choices": [{"text": "b", "finish_reason": "stop"}]}]
    assert stream_of("openai-completions:", *pieces, done=True).text == "ab"


def test_completions_without_text_are_garbage() -> None:
    assert failed(told(body={"choices": [{"message": {"content": "chat"}}]}), prefix="openai-completions:").fault is Fault.GARBAGE


# Responses

RESPONSE: dict[str, Any] = {
    "status": "completed",
    "output": [
        {"type": "reasoning", "summary": []},
        {"type": "mcp_call", "name": "look", "arguments": "{}", "output": "seen"},
        {"type": "message", "content": [{"type": "output_text", "text": "Fine."}]},
        {"type": "function_call", "call_id": "a", "name": "pay", "arguments": "{}"},
    ],
    "usage": {"input_tokens": 5, "output_tokens": 2},
}


def test_responses() -> None:
    body, asking, reply = heard("openai-responses:", RESPONSE, TALK)
    assert asking.path == "/v1/responses"
    assert [item.get("role", item.get("type")) for item in body["input"]] == [
        *("system", "user", "assistant", "function_call", "function_call", "function_call_output", "function_call_output", "user"),
    ]
    assert body["input"][1]["content"][1]["image_url"].startswith("data:image/jpeg;base64,")
    assert body["tools"][0]["name"] == "pay"
    assert body["store"] is False
    assert (reply.text, reply.finish, reply.usage.prompt) == ("Fine.", "tool_calls", 5)
    assert reply.calls == (ToolCall("pay", "{}", "a"),)
    assert [(step.call.name, step.result) for step in reply.steps] == [("look", "seen")]


def test_responses_that_are_filtered_are_blocked() -> None:
    body = {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}, "output": []}
    assert asked(told(body=body), prefix="openai-responses:").blocked == "content_filter"


def test_responses_with_nothing_in_them_are_garbage() -> None:
    assert failed(told(body={"output": []}), prefix="openai-responses:").fault is Fault.GARBAGE


def test_responses_stream() -> None:
    pieces = [
        {"type": "response.created", "response": {}},
        {"type": "response.output_text.delta", "delta": "Fi"},
        {"type": "response.output_text.delta", "delta": "ne."},
        {"type": "response.completed", "response": RESPONSE},
    ]
    reply = stream_of("openai-responses:", *pieces)
    assert (reply.text, reply.calls, reply.usage.completion) == ("Fine.", (ToolCall("pay", "{}", "a"),), 2)


def test_responses_stream_that_the_guard_ends_keeps_what_came_before() -> None:
    last = {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}, "output": []}
    pieces = [{"type": "response.output_text.delta", "delta": "So far"}, {"type": "response.incomplete", "response": last}]
    reply = stream_of("openai-responses:", *pieces)
    assert (reply.text, reply.blocked) == ("So far", "content_filter")


@pytest.mark.parametrize(
    "piece",
    [
        {"type": "error", "code": "content_filter", "message": "refused (incident inc-1)"},
        {"type": "error", "error": {"code": "content_filter", "message": "refused (incident inc-1)"}},
        {"type": "response.failed", "response": {"error": {"code": "content_filter", "message": "refused (incident inc-1)"}}},
    ],
)
def test_responses_stream_that_is_blocked(piece: Any) -> None:
    reply = stream_of("openai-responses:", {"type": "response.output_text.delta", "delta": "a"}, piece)
    assert (reply.text, reply.blocked) == ("a", "content_filter: refused (incident inc-1)")


def test_responses_stream_that_fails() -> None:
    with pytest.raises(TargetError, match="boom") as caught:
        stream_of(
            "openai-responses:", {"type": "response.failed", "response": {"error": {"code": "server_error", "message": "boom"}}}
        )
    assert caught.value.fault is Fault.SERVER


def test_responses_stream_that_breaks_off() -> None:
    with pytest.raises(TargetError, match="broke off"):
        stream_of("openai-responses:", {"type": "response.output_text.delta", "delta": "a"})


# Anthropic

MESSAGE: dict[str, Any] = {
    "type": "message",
    "content": [
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": "Fine."},
        {"type": "tool_use", "id": "a", "name": "pay", "input": {"sum": 1}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 5, "output_tokens": 2},
}


@pytest.mark.parametrize("path", ["", "/v1", "/v1/", "/v1/messages"])
def test_anthropic(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_TEST_KEY", "sk-ant-secret")
    body, asking, reply = heard("anthropic:", MESSAGE, TALK, path=path, api_key_env="PROBE_TEST_KEY")
    assert asking.path == "/v1/messages"
    assert asking.headers["x-api-key"] == "sk-ant-secret"
    assert asking.headers["anthropic-version"]
    assert body["system"] == "Be kind."
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][0]["content"][0]["source"]["media_type"] == "image/jpeg"
    assert [block["type"] for block in body["messages"][1]["content"]] == ["text", "tool_use", "tool_use"]
    assert body["messages"][1]["content"][2]["input"] == {"arguments": "not json"}
    assert [block["type"] for block in body["messages"][2]["content"]] == ["tool_result", "tool_result", "text"]
    assert body["temperature"] == 1.0
    assert (reply.text, reply.finish, reply.usage.prompt) == ("Fine.", "tool_calls", 5)
    assert reply.calls == (ToolCall("pay", '{"sum":1}', "a"),)


def test_anthropic_prefill_ends_without_white_space() -> None:
    body, _, _ = heard("anthropic:", MESSAGE, Request((Message(Role.USER, "Go"), Message(Role.ASSISTANT, "Sure: "))))
    assert body["messages"][1]["content"] == [{"type": "text", "text": "Sure:"}]


def test_anthropic_refusal_is_a_block() -> None:
    reply = asked(told(body={"content": [], "stop_reason": "refusal"}), prefix="anthropic:")
    assert (reply.blocked, reply.finish) == ("refusal", "content_filter")


def test_anthropic_guard_block() -> None:
    error = {
        "type": "invalid_request_error",
        "message": "refused (incident inc-1)",
        "code": "content_filter",
        "incident_id": "inc-1",
    }
    reply = asked(told(400, {"type": "error", "error": error}), prefix="anthropic:")
    assert reply.blocked == "content_filter: refused (incident inc-1)"


@pytest.mark.parametrize(
    ("status", "kind", "fault"),
    [
        (529, "overloaded_error", Fault.SERVER),
        (401, "authentication_error", Fault.AUTH),
        (429, "rate_limit_error", Fault.RATE_LIMIT),
        (404, "not_found_error", Fault.SETUP),
        (400, "invalid_request_error", Fault.REJECTED),
    ],
)
def test_anthropic_faults(status: int, kind: str, fault: Fault) -> None:
    error = failed(told(status, {"type": "error", "error": {"type": kind, "message": "so it is"}}), prefix="anthropic:")
    assert error.fault is fault
    assert "so it is" in str(error)


@pytest.mark.parametrize("body", [{}, {"content": None}, {"content": []}, {"content": "x"}, [], b"x"])
def test_anthropic_garbage(body: Any) -> None:
    assert failed(told(body=body), prefix="anthropic:").fault is Fault.GARBAGE


START: dict[str, Any] = {"type": "message_start", "message": {"content": [], "usage": {"input_tokens": 9, "output_tokens": 1}}}


def delta(index: int, **more: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": more}


def test_anthropic_stream() -> None:
    pieces = [
        START,
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        delta(0, type="text_delta", text="Fi"),
        delta(0, type="text_delta", text="ne."),
        {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "a", "name": "pay", "input": {}}},
        delta(1, type="input_json_delta", partial_json='{"sum"'),
        delta(1, type="input_json_delta", partial_json=":1}"),
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    ]
    reply = stream_of("anthropic:", *pieces)
    assert (reply.text, reply.finish, reply.usage.prompt, reply.usage.completion) == ("Fine.", "tool_calls", 9, 7)
    assert reply.calls == (ToolCall("pay", '{"sum":1}', "a"),)


def test_anthropic_stream_that_the_guard_ends() -> None:
    block = {"type": "error", "error": {"type": "invalid_request_error", "message": "refused", "code": "content_filter"}}
    reply = stream_of("anthropic:", START, delta(0, type="text_delta", text="So far"), block)
    assert (reply.text, reply.blocked) == ("So far", "content_filter: refused")


def test_anthropic_stream_that_is_overloaded_or_breaks_off_or_is_garbage() -> None:
    with pytest.raises(TargetError) as caught:
        stream_of("anthropic:", START, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
    assert caught.value.fault is Fault.SERVER
    with pytest.raises(TargetError, match="broke off"):
        stream_of("anthropic:", START, delta(0, type="text_delta", text="So far"))
    with pytest.raises(TargetError) as caught:
        stream_of("anthropic:", json.dumps([1]).encode())
    assert caught.value.fault is Fault.GARBAGE
