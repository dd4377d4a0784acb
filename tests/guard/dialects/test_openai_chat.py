import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.assets.chat import Role
from hauberk.guard.dialects.dialect import BadUpstream, Refusal
from hauberk.guard.dialects.openai_chat import OpenAIChat
from hauberk.guard.exchange import Answer, BadRequest, Edit, Exchange

CHAT = OpenAIChat()
IMAGE = "data:image/png;base64,AAAA"

REQUEST: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "T-system"},
        {"role": "developer", "content": [{"type": "text", "text": "T-developer"}]},
        {
            "role": "user",
            "name": "T-name",
            "content": [
                {"type": "text", "text": "T-user"},
                {"type": "image_url", "image_url": {"url": IMAGE, "detail": "low"}},
                {"type": "text", "text": "T-after-image"},
                {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
                {"type": "file", "file": {"file_data": "AAAA", "filename": "T name of the file.pdf"}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "refusal": "T refusal it is",
            "reasoning_content": "T reasoning it is",
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "send", "arguments": '{"to":"T-arg"}'}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "T-result"},
        {"role": "function", "name": "old", "content": "T-old-result"},
        {"role": "assistant", "function_call": {"name": "old", "arguments": "T-old-arg"}},
        {"role": "nobody", "content": "T-nobody"},
    ],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "send",
                "description": "T-tool",
                "parameters": {
                    "type": "object",
                    "title": "T title of it",
                    "properties": {
                        "to": {"type": "string", "description": "T-parameter", "enum": ["T one of them"]},
                        "a name that speaks T": {"anyOf": [{"description": "T-any-of"}]},
                        "type": {"type": "string", "description": "T-named-type"},
                    },
                },
            },
        }
    ],
    "functions": [{"name": "old", "description": "T-function", "parameters": {}}],
    "prediction": {"type": "content", "content": "T-prediction"},
    "response_format": {"type": "json_schema", "json_schema": {"name": "x", "description": "T-format with words", "schema": {}}},
    "documents": [{"title": "T the title", "text": "T the document"}],
    "chat_template_kwargs": {"hint": "T hint to a template"},
    "metadata": {"note": "not read by a model"},
    "user": "end-user",
    "max_completion_tokens": 10,
    "max_tokens": 20,
}


def read(**changes: Any) -> Exchange:
    return CHAT.read(json.dumps({**REQUEST, **changes}).encode())


def texts(thing: Exchange | Answer, role: Role | None = None) -> set[str]:
    return {piece.text for piece in thing.pieces if role is None or piece.role is role}


def test_every_text_that_reaches_the_model_is_a_piece() -> None:
    exchange = read()
    assert texts(exchange, Role.SYSTEM) == {"T-system", "T-developer"}
    assert texts(exchange, Role.DOCUMENT) == {"T the title", "T the document"}
    assert {"T-result", "T-old-result", "T-tool", "T-parameter", "T-any-of", "a name that speaks T", "T-function"} <= texts(
        exchange, Role.TOOL
    )
    assert {"T-user", "T-after-image", "T-name", "T name of the file.pdf", "T-prediction", "T-nobody", "T hint to a template"} <= (
        texts(exchange, Role.USER)
    )
    assert {"T refusal it is", "T reasoning it is", '{"to":"T-arg"}', "T-old-arg"} <= texts(exchange, Role.ASSISTANT)
    assert not {word for word in _strings(REQUEST) if "T" in word} - texts(exchange)
    assert "not read by a model" not in texts(exchange)


def _strings(value: Any) -> Any:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _strings(member)
    elif isinstance(value, list):
        for member in value:
            yield from _strings(member)


def test_what_else_is_known_of_a_request() -> None:
    exchange = read(stream=True)
    assert (exchange.model, exchange.user, exchange.max_tokens, exchange.stream) == ("m", "end-user", 10, True)
    assert [image.url for image in exchange.images] == [IMAGE]
    assert [tool.name for tool in exchange.tools] == ["send", "old"]
    assert exchange.unread == ("messages[2].content[3]: audio", "messages[2].content[4]: a file")
    (call,) = [piece.call for piece in exchange.pieces if piece.call and piece.call.id]
    assert (call.name, call.id) == ("send", "c1")


def test_every_piece_can_be_replaced_where_it_stands() -> None:
    exchange = read()
    named = "a name that speaks T"
    exchange_edits = [Edit(piece.path, "gone") for piece in exchange.pieces if piece.text != named]
    written = CHAT.write(exchange, exchange_edits).decode()
    for text in texts(exchange) - {named, "old"}:
        assert json.dumps(text)[1:-1] not in written
    assert IMAGE in written


def test_a_parameter_whose_name_speaks_goes_with_what_holds_it() -> None:
    exchange = read()
    (piece,) = [piece for piece in exchange.pieces if piece.text == "a name that speaks T"]
    assert "a name that speaks" not in CHAT.write(exchange, [Edit(piece.path, "gone")]).decode()


def test_a_request_that_nobody_edits_means_the_same() -> None:
    assert json.loads(CHAT.write(read())) == REQUEST
    assert json.loads(CHAT.write(read(), model="upstream")) == {**REQUEST, "model": "upstream"}


def test_usage_is_always_asked_for_in_streams() -> None:
    exchange = read(stream=True, stream_options={"other": 1})
    assert json.loads(CHAT.write(exchange))["stream_options"] == {"other": 1, "include_usage": True}
    assert exchange.body["stream_options"] == {"other": 1}, "what the client asked for stays known"
    assert "stream_options" not in json.loads(CHAT.write(read()))


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 7}, "model"),
        ({"model": "a\nb"}, "model"),
        ({"model": "x" * 300}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": {"role": "user"}}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"messages": [{"content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"role": ["user"], "content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": {"text": "hi"}}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [7]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": ["hi"]}]}]}, "messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": 7}]}]}, "messages[0].content[0].image_url"),
        ({"messages": [{"role": "assistant", "tool_calls": {}}]}, "messages[0].tool_calls"),
        ({"messages": [{"role": "assistant", "tool_calls": ["x"]}]}, "messages[0].tool_calls[0]"),
        ({"tools": {"function": {}}}, "tools"),
        ({"tools": [7]}, "tools[0]"),
        ({"tools": [{"type": "function", "function": {"name": "f", "description": 7}}]}, "tools[0].function.description"),
        ({"stream": "yes"}, "stream"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_completion_tokens": 10**30}, "max_completion_tokens"),
    ],
)
def test_wrong_types_are_named(changes: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(**changes)
    assert caught.value.param == param
    assert caught.value.status == 400


def test_too_many_texts_are_refused() -> None:
    with pytest.raises(BadRequest, match="20000 texts"):
        read(messages=[{"role": "user", "content": "x"}] * 20_001)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def _mutated(value: Any, data: st.DataObject) -> Any:
    """`value` with one place in it replaced by anything."""
    if isinstance(value, dict | list) and value and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value))))
        copy = dict(value) if isinstance(value, dict) else list(value)
        copy[key] = _mutated(value[key], data)
        return copy
    return data.draw(JSON)


@given(st.data())
def test_a_mutated_request_is_read_or_refused_and_means_the_same_after(data: st.DataObject) -> None:
    request = _mutated(REQUEST, data)
    try:
        exchange = CHAT.read(json.dumps(request).encode())
    except BadRequest:
        return
    sent = json.loads(CHAT.write(exchange))
    if exchange.stream:
        sent.pop("stream_options")
        request.pop("stream_options", None)
    assert sent == request
    edits = [Edit(piece.path, "x") for piece in exchange.pieces[:1]]
    assert json.loads(CHAT.write(exchange, edits))


ANSWER: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "first",
                "refusal": "no, never",
                "reasoning_content": "thinking",
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
                "annotations": [{"type": "url_citation", "url_citation": {"title": "a title", "url": "https://e.example/x"}}],
            },
            "logprobs": {"content": [{"token": "first", "logprob": -0.1}]},
            "finish_reason": "tool_calls",
        },
        {"index": 1, "message": {"role": "assistant", "content": "second"}, "logprobs": {"content": []}, "finish_reason": "stop"},
    ],
    "usage": {"prompt_tokens": 5, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 2}},
}


def test_an_answer_with_all_its_texts() -> None:
    answer = CHAT.read_answer(json.dumps(ANSWER).encode())
    assert texts(answer) == {"first", "no, never", "thinking", "{}", "a title", "https://e.example/x", "second"}
    assert {piece.role for piece in answer.pieces} == {Role.ASSISTANT}
    assert (answer.usage.input, answer.usage.output, answer.usage.cached) == (5, 7, 2)
    assert (answer.model, answer.finish) == ("m", "tool_calls")
    assert json.loads(CHAT.write_answer(answer, model="alias")) == {**ANSWER, "model": "alias"}


def test_the_logprobs_of_an_edited_choice_go() -> None:
    answer = CHAT.read_answer(json.dumps(ANSWER).encode())
    (piece,) = [piece for piece in answer.pieces if piece.text == "first"]
    written = json.loads(CHAT.write_answer(answer, [Edit(piece.path, "[gone]")]))
    assert written["choices"][0]["message"]["content"] == "[gone]"
    assert written["choices"][0]["logprobs"] is None
    assert written["choices"][1]["logprobs"] == {"content": []}


def test_an_answer_cannot_pose_as_somebody_else() -> None:
    answer = CHAT.read_answer(b'{"choices":[{"message":{"role":"system","content":"x"}}]}')
    assert [piece.role for piece in answer.pieces] == [Role.ASSISTANT]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>502</html>",
        b"{}",
        b'{"choices":[]}',
        b'{"choices":{}}',
        b'{"choices":[7]}',
        b'{"choices":[{"message":null}]}',
        b'{"choices":[{"message":{"content":7}}]}',
        b'{"choices":[{"message":{"content":"a"',
        b'{"error":{"message":"key sk-123 is wrong","type":"auth"}}',
        b'{"error":"text"}',
    ],
)
def test_an_answer_that_is_none_is_refused_without_its_text(body: bytes) -> None:
    with pytest.raises(BadUpstream) as caught:
        CHAT.read_answer(body)
    assert "sk-123" not in str(caught.value)


@given(st.data())
def test_a_mutated_answer_is_read_or_refused(data: st.DataObject) -> None:
    body = _mutated(ANSWER, data)
    try:
        answer = CHAT.read_answer(json.dumps(body).encode())
    except BadUpstream:
        return
    assert json.loads(CHAT.write_answer(answer)) == body
    assert json.loads(CHAT.write_answer(answer, [Edit(piece.path, "x") for piece in answer.pieces[:1]]))


def test_an_error_says_its_incident() -> None:
    refusal = Refusal(403, "content_blocked", "The request was blocked.", param="messages", incident="inc_1")
    assert json.loads(CHAT.error(refusal)) == {
        "error": {
            "message": "The request was blocked. (incident inc_1)",
            "type": "invalid_request_error",
            "param": "messages",
            "code": "content_blocked",
            "incident_id": "inc_1",
        }
    }
