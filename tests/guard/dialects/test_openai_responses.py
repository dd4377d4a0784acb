import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.assets.chat import Role
from hauberk.guard.dialects.dialect import BadUpstream, Refusal
from hauberk.guard.dialects.openai_responses import OpenAIResponses
from hauberk.guard.dialects.openai_responses_stream import ResponseStream
from hauberk.guard.exchange import Answer, BadRequest, Edit, Exchange

RESPONSES = OpenAIResponses()

REQUEST: dict[str, Any] = {
    "model": "m",
    "instructions": "T-instructions",
    "input": [
        {"role": "system", "content": "T-system"},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "T-user"},
                {"type": "input_image", "image_url": "https://e.example/x.png"},
                {"type": "input_image", "file_id": "file-1"},
                {"type": "input_file", "file_data": "AAAA", "filename": "T name of a file.pdf"},
            ],
        },
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "T-earlier", "annotations": []}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":"T-arg"}'},
        {"type": "function_call_output", "call_id": "c1", "output": "T-output"},
        {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "T-output-part"}]},
        {"type": "custom_tool_call", "call_id": "c3", "name": "g", "input": "T-custom"},
        {"type": "custom_tool_call_output", "call_id": "c3", "output": "T-custom-output"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "T-summary"}], "encrypted_content": "AAAA"},
        {"type": "file_search_call", "queries": ["T query of it"], "results": [{"text": "T found in a file", "file_id": "x"}]},
        {"type": "mcp_call", "name": "h", "arguments": "T-mcp-arg", "output": "T the mcp output"},
        {"type": "local_shell_call", "action": {"command": ["T rm -rf"]}},
        {"type": "computer_call_output", "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,BBBB"}},
        {"type": "item_reference", "id": "msg_1"},
    ],
    "tools": [
        {
            "type": "function",
            "name": "f",
            "description": "T-tool",
            "parameters": {"properties": {"a": {"description": "T-parameter"}}},
        },
        {"type": "mcp", "server_label": "s", "server_description": "T what the server does"},
    ],
    "text": {"format": {"type": "json_schema", "name": "n", "schema": {"properties": {"x": {"description": "T-format"}}}}},
    "prompt": {"id": "pmpt_1", "variables": {"city": "T-variable", "doc": {"type": "input_text", "text": "T-variable-part"}}},
    "previous_response_id": "resp_0",
    "max_output_tokens": 10,
}


def read(**changes: Any) -> Exchange:
    return RESPONSES.read(json.dumps({**REQUEST, **changes}).encode())


def texts(thing: Exchange | Answer, role: Role | None = None) -> set[str]:
    return {piece.text for piece in thing.pieces if role is None or piece.role is role}


def test_every_text_that_reaches_the_model_is_a_piece() -> None:
    exchange = read()
    assert texts(exchange, Role.SYSTEM) == {"T-instructions", "T-system"}
    assert texts(exchange, Role.USER) == {"T-user", "T name of a file.pdf", "T-variable", "T-variable-part"}
    assert texts(exchange, Role.DOCUMENT) == {"T found in a file"}
    assert texts(exchange, Role.ASSISTANT) == {
        *("T-earlier", '{"a":"T-arg"}', "T-custom", "T-summary", "T query of it", "T-mcp-arg", "T rm -rf")
    }
    assert texts(exchange, Role.TOOL) == {
        *("T-output", "T-output-part", "T-custom-output", "T the mcp output", "T-tool", "T-parameter", "T what the server does"),
        "T-format",
    }
    assert [image.url for image in exchange.images] == ["https://e.example/x.png", "data:image/png;base64,BBBB"]
    assert exchange.unread == (
        "input[1].content[2]: an image kept by the upstream",
        "input[1].content[3]: a file",
        "input[8]: sealed by the upstream",
        "input[13]: an item kept by the upstream",
        "previous_response_id: turns kept by the upstream",
        "prompt: a prompt kept by the upstream",
    )
    assert (exchange.max_tokens, exchange.stream) == (10, False)


def test_a_string_is_the_users() -> None:
    exchange = RESPONSES.read(b'{"model":"m","input":"hi"}')
    assert texts(exchange, Role.USER) == {"hi"}


def test_every_piece_can_be_replaced_where_it_stands() -> None:
    exchange = read()
    written = RESPONSES.write(exchange, [Edit(piece.path, "gone") for piece in exchange.pieces], model="up").decode()
    assert not [text for text in texts(exchange) if json.dumps(text)[1:-1] in written]
    assert json.loads(written)["model"] == "up"
    assert json.loads(RESPONSES.write(read())) == REQUEST


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"input": 7}, "input"),
        ({"input": [7]}, "input[0]"),
        ({"input": [{"type": 7}]}, "input[0].type"),
        ({"input": [{"role": 7, "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": {"a": 1}}]}, "input[0].content"),
        ({"input": [{"type": "reasoning", "summary": "x"}]}, "input[0].summary"),
        ({"input": [{"type": "function_call_output", "output": 7}]}, "input[0].output"),
        ({"instructions": 7}, "instructions"),
        ({"max_output_tokens": "7"}, "max_output_tokens"),
    ],
)
def test_wrong_types_are_named(changes: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(**changes)
    assert caught.value.param == param


ITEMS: list[Any] = [
    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "thought"}]},
    {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [
            {
                "type": "output_text",
                "text": "Hello world",
                "annotations": [{"type": "x", "start_index": 0}],
                "logprobs": [{"token": "Hello"}],
            },
            {"type": "refusal", "refusal": "Sorry"},
        ],
    },
    {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": '{"a":1}', "status": "completed"},
    {"type": "mcp_call", "id": "mcp_1", "name": "h", "arguments": "{}", "output": "found there"},
]
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "model": "m",
    "status": "completed",
    "error": None,
    "instructions": "be good",
    "output": ITEMS,
    "usage": {"input_tokens": 3, "output_tokens": 4, "input_tokens_details": {"cached_tokens": 1}},
}
ALL = {"thought", "Hello world", "Sorry", '{"a":1}', "{}", "found there"}


def test_an_answer_with_all_its_texts() -> None:
    answer = RESPONSES.read_answer(json.dumps(RESPONSE).encode())
    assert texts(answer) - {"x"} == ALL
    assert (answer.usage.input, answer.usage.output, answer.usage.cached, answer.finish) == (3, 4, 1, "completed")
    assert json.loads(RESPONSES.write_answer(answer, model="alias")) == {**RESPONSE, "model": "alias"}


def test_what_points_into_an_edited_text_goes() -> None:
    answer = RESPONSES.read_answer(json.dumps(RESPONSE).encode())
    (piece,) = [piece for piece in answer.pieces if piece.text == "Hello world"]
    part = json.loads(RESPONSES.write_answer(answer, [Edit(piece.path, "[x]")]))["output"][1]["content"][0]
    assert part == {"type": "output_text", "text": "[x]", "annotations": [], "logprobs": []}


@pytest.mark.parametrize(
    "body",
    [b"{}", b'{"output":{}}', b'{"output":[7]}', b'{"output":[{"type":7}]}', b'{"output":[],"error":{"type":"server_error"}}'],
)
def test_an_answer_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(BadUpstream):
        RESPONSES.read_answer(body)


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: ".encode() + json.dumps({"type": kind, **fields}).encode() + b"\n\n"


def closing() -> list[bytes]:
    return [event("response.completed", sequence_number=99, response=RESPONSE)]


def lively() -> list[bytes]:
    text = {"item_id": "msg_1", "output_index": 1, "content_index": 0}
    refusal = {"item_id": "msg_1", "output_index": 1, "content_index": 1}
    call = {"item_id": "fc_1", "output_index": 2}
    thought = {"item_id": "rs_1", "output_index": 0, "summary_index": 0}
    return [
        event("response.created", sequence_number=0, response={**RESPONSE, "status": "in_progress", "output": [], "usage": None}),
        event("response.reasoning_summary_text.delta", **thought, delta="thought"),
        event("response.reasoning_summary_text.done", **thought, text="thought"),
        event("response.reasoning_summary_part.done", **thought, part=ITEMS[0]["summary"][0]),
        event("response.output_item.done", output_index=0, item=ITEMS[0]),
        event("response.output_item.added", output_index=1, item={**ITEMS[1], "content": []}),
        event("response.content_part.added", **text, part={"type": "output_text", "text": "", "annotations": []}),
        event("response.output_text.delta", **text, delta="Hello", logprobs=[{"token": "Hello"}]),
        event("response.output_text.delta", **text, delta=" world", logprobs=[]),
        event("response.output_text.done", **text, text="Hello world", logprobs=[{"token": "Hello"}]),
        event("response.content_part.done", **text, part=ITEMS[1]["content"][0]),
        event("response.refusal.delta", **refusal, delta="Sorry"),
        event("response.refusal.done", **refusal, refusal="Sorry"),
        event("response.content_part.done", **refusal, part=ITEMS[1]["content"][1]),
        event("response.output_item.done", output_index=1, item=ITEMS[1]),
        event("response.output_item.added", output_index=2, item={**ITEMS[2], "arguments": ""}),
        event("response.function_call_arguments.delta", **call, delta='{"a"'),
        event("response.function_call_arguments.delta", **call, delta=":1}"),
        event("response.function_call_arguments.done", **call, arguments='{"a":1}'),
        event("response.output_item.done", output_index=2, item=ITEMS[2]),
        event("response.output_item.done", output_index=3, item=ITEMS[3]),
        *closing(),
    ]


def events(wire: bytes) -> list[Any]:
    return [json.loads(line[6:]) for line in wire.split(b"\n") if line.startswith(b"data: ")]


def test_each_channel_has_its_text(relay: Any) -> None:
    wire = relay(ResponseStream(model=""), lively())
    assert relay.came == {
        "0/reasoning_summary_text/0/0": "thought",
        "0/output_text/1/0": "Hello world",
        "0/refusal/1/1": "Sorry",
        "0/tool/2": '{"a":1}',
        "0/tool/3": "{}",
        "0/whole/3/output": "found there",
    }
    assert relay.tools == {"0/tool/2": "f", "0/tool/3": "h"}
    assert events(wire)[-1]["response"] == RESPONSE
    assert relay.deltas[-1].done
    assert relay.deltas[-1].usage.output == 4
    assert relay.deltas[-1].finish == "completed"


def test_no_event_repeats_what_was_redacted(relay: Any) -> None:
    """Regression: `done`, `content_part.done`, `output_item.done` and `completed` each say the whole text once more."""
    wire = relay(ResponseStream(model=""), lively(), lambda _: "{}")
    for text in ALL - {"{}"}:
        assert json.dumps(text)[1:-1].encode() not in wire
    assert b"Hello" not in wire, "nor do logprobs"
    last = events(wire)[-1]["response"]["output"]
    assert last[1]["content"][0] == {"type": "output_text", "text": "{}", "annotations": [], "logprobs": []}


SOURCE = {"type": "url_citation", "title": "a title", "url": "https://e.example/x", "start_index": 0, "end_index": 5}


def with_sources() -> list[bytes]:
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": "Hello", "annotations": [SOURCE, SOURCE], "logprobs": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "content": [part]}
    return [
        event("response.output_text.delta", **place, delta="Hello", logprobs=[]),
        event("response.output_text.annotation.added", **place, annotation_index=0, annotation=SOURCE),
        event("response.output_text.annotation.added", **place, annotation_index=1, annotation=SOURCE),
        event("response.output_text.done", **place, text="Hello", logprobs=[]),
        event("response.content_part.done", **place, part=part),
        event("response.output_item.done", output_index=0, item=item),
        event("response.completed", response={"id": "r", "status": "completed", "output": [item]}),
    ]


def test_sources_of_a_text_are_judged_before_they_are_sent(relay: Any) -> None:
    """Regression: `annotation.added` carried names and addresses past the guard, and so did `content_part.done`."""
    wire = relay(ResponseStream(model=""), with_sources(), lambda text: text.replace("example", "[x]"))
    assert relay.came == {
        "0/output_text/0/0": "Hello",
        **{f"0/whole/0/content.0.annotations.{number}.title": "a title" for number in range(2)},
        **{f"0/whole/0/content.0.annotations.{number}.url": "https://e.example/x" for number in range(2)},
    }
    assert b"e.example" not in wire
    assert events(wire)[1]["annotation"] == {**SOURCE, "url": "https://e.[x]/x"}
    assert events(wire)[-1]["response"]["output"][0]["content"][0]["text"] == "Hello"
    clean = relay.__class__()(ResponseStream(model=""), with_sources())
    assert [told["annotation"] for told in events(clean) if "annotation" in told] == [SOURCE, SOURCE]


def test_a_text_and_its_sources_may_all_be_edited(relay: Any) -> None:
    """Regression: an edited text takes its annotations with it, and the edit of one of these then led nowhere."""
    wire = relay(ResponseStream(model=""), with_sources(), lambda _: "[x]")
    assert events(wire)[-1]["response"]["output"][0]["content"][0] == {
        "type": "output_text",
        "text": "[x]",
        "annotations": [],
        "logprobs": [],
    }
    part = {"type": "output_text", "text": "Hello", "annotations": [dict(SOURCE)]}
    body = {"output": [{"type": "message", "role": "assistant", "content": [part]}]}
    answer = OpenAIResponses().read_answer(json.dumps(body).encode())
    edits = [Edit(piece.path, "[x]") for piece in answer.pieces]
    assert len(edits) == 3
    written = json.loads(OpenAIResponses().write_answer(answer, edits))
    assert written["output"][0]["content"][0] == {"type": "output_text", "text": "[x]", "annotations": []}


def test_a_text_that_only_closing_events_say_is_judged_before_they_are_sent(relay: Any) -> None:
    """Regression: an upstream that streams no deltas must not slip its text past the guard in `completed`."""
    wire = relay(ResponseStream(model=""), closing(), lambda _: "[x]")
    assert set(relay.came.values()) - {"x"} == ALL
    for text in ALL - {"{}"}:
        assert json.dumps(text)[1:-1].encode() not in wire
    assert relay.tools == {"0/tool/2": "f", "0/tool/3": "h"}


def test_a_closing_event_that_says_something_else_is_overruled(relay: Any) -> None:
    place = {"item_id": "msg_1", "output_index": 1, "content_index": 0}
    parts = [
        event("response.output_text.delta", **place, delta="harmless"),
        event("response.output_text.done", **place, text="harmful"),
        *closing(),
    ]
    wire = relay(ResponseStream(model=""), parts)
    assert b"harmful" not in wire
    assert events(wire)[-1]["response"]["output"][1]["content"][0]["text"] == "harmless"


def test_a_call_that_opens_with_its_arguments_is_divided() -> None:
    opening, arguments = ResponseStream(model="").feed(event("response.output_item.added", output_index=2, item=ITEMS[2]))
    assert (opening.tool, opening.tool_id, b'{\\"a\\":1}' in opening.raw) == ("f", "call_1", False)
    assert (arguments.channel, arguments.text) == ("0/tool/2", '{"a":1}')
    assert events(arguments.raw)[0]["type"] == "response.function_call_arguments.delta"


def test_the_model_is_named_as_the_client_knows_it(relay: Any) -> None:
    wire = relay(ResponseStream(model="alias"), lively())
    assert {told["response"]["model"] for told in events(wire) if "response" in told} == {"alias"}


@pytest.mark.parametrize(
    "data",
    [
        b"data: {}\n\n",
        b"data: [1]\n\n",
        b'data: {"type": 7}\n\n',
        event("error", code="server_error", message="internal"),
        event("response.failed", response={"error": {"code": "server_error", "message": "internal"}}),
        event("response.completed"),
        event("response.completed", response={"output": [7]}),
        event("response.output_text.delta", output_index="x", delta="a"),
        event("response.output_text.delta", output_index=-1, delta="a"),
        event("response.output_item.done", item={"type": "message", "content": 7}, output_index=0),
    ],
)
def test_a_lying_upstream_is_refused(data: bytes) -> None:
    with pytest.raises(BadUpstream):
        list(ResponseStream(model="").feed(data))


def test_a_stream_that_is_cut_short_is_told() -> None:
    reader = ResponseStream(model="")
    list(reader.feed(b"".join(lively()[:-1])))
    with pytest.raises(BadUpstream, match="ended before"):
        list(reader.close())


def test_parts_are_bounded() -> None:
    reader = ResponseStream(model="")
    many = [event("response.output_text.delta", output_index=index, content_index=0, delta="x") for index in range(2000)]
    with pytest.raises(BadUpstream, match="1024 parts"):
        list(reader.feed(b"".join(many)))


def test_a_made_end_and_an_error() -> None:
    reader = ResponseStream(model="")
    list(reader.feed(lively()[0]))
    (end,) = events(reader.ended("0", "content_filter"))
    assert (end["type"], end["response"]["incomplete_details"]) == ("response.incomplete", {"reason": "content_filter"})
    assert end["response"]["id"] == "resp_1"
    (error,) = events(reader.error(Refusal(403, "content_blocked", "Stopped.", incident="inc_1")))
    assert error["error"]["incident_id"] == "inc_1"
    assert error["code"] == "content_blocked"


@given(st.data())
def test_mutated_events_are_read_or_refused(data: st.DataObject) -> None:
    parts = lively()
    place = data.draw(st.integers(0, len(parts) - 1))
    told = json.loads(parts[place].partition(b"data: ")[2])
    key = data.draw(st.sampled_from(sorted(told)))
    told[key] = data.draw(
        st.none() | st.integers() | st.text(max_size=3) | st.just([]) | st.just({}) | st.just([{}]) | st.just({"type": "x"})
    )
    parts[place] = b"data: " + json.dumps(told).encode() + b"\n\n"
    reader = ResponseStream(model="")
    try:
        for delta in reader.feed(b"".join(parts)):
            if delta.repeats:
                reader.restated(delta, {})
            elif delta.channel:
                reader.made(delta.channel, "x")
    except BadUpstream:
        return
