import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.assets.chat import Role
from hauberk.guard.dialects.anthropic_messages import AnthropicMessages
from hauberk.guard.dialects.anthropic_stream import MessageStream
from hauberk.guard.dialects.dialect import BadUpstream, Refusal
from hauberk.guard.exchange import Answer, BadRequest, Edit, Exchange

MESSAGES = AnthropicMessages()

REQUEST: dict[str, Any] = {
    "model": "m",
    "max_tokens": 100,
    "system": [{"type": "text", "text": "T-system", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "T-user"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                {"type": "image", "source": {"type": "url", "url": "https://e.example/x.png"}},
                {
                    "type": "document",
                    "title": "T-title",
                    "context": "T-context",
                    "source": {"type": "text", "media_type": "text/plain", "data": "T-document"},
                },
                {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "T-document-part"}]}},
                {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}},
                {
                    "type": "search_result",
                    "source": "T the source",
                    "title": "T-found",
                    "content": [{"type": "text", "text": "T-hit"}],
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "T-thinking", "signature": "AAAA"},
                {"type": "redacted_thinking", "data": "AAAA"},
                {"type": "tool_use", "id": "tu1", "name": "f", "input": {"to": "T-arg"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "tu1", "content": "T-result"},
                {
                    "type": "tool_result",
                    "tool_use_id": "tu2",
                    "content": [
                        {"type": "text", "text": "T-result-part"},
                        {"type": "document", "source": {"type": "text", "data": "T-result-document"}},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "BBBB"}},
                    ],
                },
                {
                    "type": "web_search_tool_result",
                    "tool_use_id": "s1",
                    "content": [
                        {"type": "web_search_result", "title": "T-web", "url": "https://e.example/T", "encrypted_content": "AAAA"}
                    ],
                },
                {"type": "bash_code_execution_tool_result", "tool_use_id": "b", "content": {"type": "r", "stdout": "T the stdout"}},
            ],
        },
        {"role": "assistant", "content": "T-prefill"},
    ],
    "tools": [{"name": "f", "description": "T-tool", "input_schema": {"properties": {"to": {"description": "T-parameter"}}}}],
    "metadata": {"user_id": "end-user"},
}


def read(**changes: Any) -> Exchange:
    return MESSAGES.read(json.dumps({**REQUEST, **changes}).encode())


def texts(thing: Exchange | Answer, role: Role | None = None) -> set[str]:
    return {piece.text for piece in thing.pieces if role is None or piece.role is role}


def test_every_text_that_reaches_the_model_is_a_piece() -> None:
    exchange = read()
    assert texts(exchange, Role.SYSTEM) == {"T-system"}
    assert texts(exchange, Role.USER) == {"T-user"}
    assert texts(exchange, Role.DOCUMENT) == {
        *("T-title", "T-context", "T-document", "T-document-part", "T the source", "T-found", "T-hit"),
        *("T-result-document", "T-web", "https://e.example/T"),
    }
    assert texts(exchange, Role.ASSISTANT) == {"T-thinking", '{"to":"T-arg"}', "T-prefill"}
    assert texts(exchange, Role.TOOL) == {"T-result", "T-result-part", "T the stdout", "T-tool", "T-parameter"}
    assert [image.url for image in exchange.images] == [
        "data:image/png;base64,AAAA",
        "https://e.example/x.png",
        "data:image/png;base64,BBBB",
    ]
    assert exchange.unread == (
        "messages[0].content[5].source: document as base64",
        "messages[1].content[1].data: sealed by the upstream",
        "messages[2].content[2].content[0].encrypted_content: sealed by the upstream",
    )
    assert (exchange.user, exchange.max_tokens, exchange.tools[0].name) == ("end-user", 100, "f")
    assert exchange.tools[0].parameters == REQUEST["tools"][0]["input_schema"]


def test_every_piece_can_be_replaced_where_it_stands() -> None:
    exchange = read()
    edits = [Edit(piece.path, '{"to":"gone"}' if piece.call else "gone") for piece in exchange.pieces]
    written = MESSAGES.write(exchange, edits, model="up").decode()
    assert "T-" not in written
    assert json.loads(written)["messages"][1]["content"][2]["input"] == {"to": "gone"}
    assert json.loads(MESSAGES.write(read())) == REQUEST


def test_strings_in_the_places_of_blocks() -> None:
    exchange = read(system="T-one", messages=[{"role": "user", "content": "T-two"}])
    assert texts(exchange, Role.SYSTEM) == {"T-one"}
    assert texts(exchange, Role.USER) == {"T-two"}


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"system": 7}, "system"),
        ({"system": [7]}, "system[0]"),
        ({"system": [{"text": "x"}]}, "system[0].type"),
        ({"messages": [{"role": "user", "content": {"type": "text"}}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": 7}]}]}, "messages[0].content[0].text"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "data": 7}}]}]},
            "messages[0].content[0].source.data",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "document", "source": 7}]}]}, "messages[0].content[0].source"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result", "content": 7}]}]}, "messages[0].content[0].content"),
        ({"tools": {}}, "tools"),
    ],
)
def test_wrong_types_are_named(changes: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(**changes)
    assert caught.value.param == param


ANSWER: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "AAAA"},
        {"type": "text", "text": "Hello"},
        {"type": "tool_use", "id": "tu1", "name": "f", "input": {"to": "x"}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 3, "cache_read_input_tokens": 10, "cache_creation_input_tokens": 5, "output_tokens": 4},
}


def test_an_answer_with_all_its_texts() -> None:
    answer = MESSAGES.read_answer(json.dumps(ANSWER).encode())
    assert texts(answer) == {"hm", "Hello", '{"to":"x"}'}
    assert (answer.usage.input, answer.usage.output, answer.usage.cached, answer.finish) == (18, 4, 10, "tool_use")
    written = json.loads(MESSAGES.write_answer(answer, [Edit(("content", 1, "text"), "[x]")], model="alias"))
    assert (written["content"][1]["text"], written["model"]) == ("[x]", "alias")


@pytest.mark.parametrize("body", [b"{}", b'{"content":"x"}', b'{"content":[7]}', b'{"type":"error","error":{"type":"api_error"}}'])
def test_an_answer_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(BadUpstream):
        MESSAGES.read_answer(body)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (413, "request_too_large"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (529, "overloaded_error"),
    ],
)
def test_an_error_has_the_type_of_its_status(status: int, kind: str) -> None:
    told = json.loads(MESSAGES.error(Refusal(status, "content_blocked", "Stopped.", incident="inc_1")))
    assert told == {
        "type": "error",
        "error": {"type": kind, "message": "Stopped. (incident inc_1)", "code": "content_blocked", "incident_id": "inc_1"},
    }


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: ".encode() + json.dumps({"type": kind, **fields}).encode() + b"\n\n"


def delta(index: int, kind: str, **fields: Any) -> bytes:
    return event("content_block_delta", index=index, delta={"type": kind, **fields})


def start(index: int, **block: Any) -> bytes:
    return event("content_block_start", index=index, content_block=block)


def stop(index: int) -> bytes:
    return event("content_block_stop", index=index)


BEGIN = event("message_start", message={**ANSWER, "content": [], "usage": {"input_tokens": 3, "output_tokens": 1}})
END = event("message_delta", delta={"stop_reason": "tool_use"}, usage={"output_tokens": 9}) + event("message_stop")
LIVELY = (
    BEGIN
    + start(0, type="thinking", thinking="", signature="")
    + delta(0, "thinking_delta", thinking="hm, ")
    + delta(0, "thinking_delta", thinking="well")
    + delta(0, "signature_delta", signature="AAAA")
    + stop(0)
    + event("ping")
    + start(1, type="text", text="")
    + delta(1, "text_delta", text="Hello ")
    + delta(1, "text_delta", text="world")
    + stop(1)
    + start(2, type="tool_use", id="tu1", name="f", input={})
    + delta(2, "input_json_delta", partial_json="")
    + delta(2, "input_json_delta", partial_json='{"to":')
    + delta(2, "input_json_delta", partial_json='"x"}')
    + stop(2)
    + start(
        3, type="web_search_tool_result", tool_use_id="s", content=[{"type": "web_search_result", "title": "T", "url": "https://e"}]
    )
    + stop(3)
    + END
)


def events(wire: bytes) -> list[Any]:
    return [json.loads(line[6:]) for line in wire.split(b"\n") if line.startswith(b"data: ")]


def accumulated(wire: bytes) -> dict[int, str]:
    whole: dict[int, str] = {}
    for told in events(wire):
        if told["type"] == "content_block_delta":
            text = told["delta"].get("text") or told["delta"].get("thinking") or told["delta"].get("partial_json") or ""
            whole[told["index"]] = whole.get(told["index"], "") + text
    return whole


def test_each_channel_has_its_text(relay: Any) -> None:
    wire = relay(MessageStream(model=""), [LIVELY])
    assert relay.came == {
        "0/thinking/0": "hm, well",
        "0/text/1": "Hello world",
        "0/tool/2": '{"to":"x"}',
        "0/whole/3": "T\nhttps://e",
    }
    assert relay.tools == {"0/tool/2": "f"}
    assert accumulated(wire) == {0: "hm, well", 1: "Hello world", 2: '{"to":"x"}'}
    assert [told["type"] for told in events(wire)][-2:] == ["message_delta", "message_stop"]
    assert any(told.get("content_block", {}).get("type") == "web_search_tool_result" for told in events(wire))
    last = [delta for delta in relay.deltas if delta.usage][-1]
    assert (last.usage.input, last.usage.output, last.finish) == (3, 9, "tool_use")


CITATION = {"type": "char_location", "cited_text": "the quote", "document_title": "a paper", "start_char_index": 0, "file_id": "f"}


def cited() -> bytes:
    source = delta(0, "citations_delta", citation=CITATION)
    return BEGIN + start(0, type="text", text="") + delta(0, "text_delta", text="so ") + source + source + stop(0) + END


def test_citations_are_judged_before_they_are_sent(relay: Any) -> None:
    """Regression: what a citation quotes of a document went out unjudged, while the same text in a whole answer did not."""
    wire = relay(MessageStream(model=""), [cited()])
    assert relay.came == {"0/text/0": "so ", "0/whole/0.1": "the quote\na paper", "0/whole/0.2": "the quote\na paper"}
    told = [made["delta"].get("citation") for made in events(wire) if made["type"] == "content_block_delta"]
    assert [source for source in told if source] == [CITATION, CITATION]
    changed = relay.__class__()(MessageStream(model=""), [cited()], lambda text: text.replace("quote", "[x]"))
    assert b"quote" not in changed
    assert b"citations_delta" not in changed, "a citation whose text was changed goes whole"
    assert accumulated(changed) == {0: "so "}


def test_texts_come_before_their_blocks_stop(relay: Any) -> None:
    open_blocks: set[int] = set()
    for told in events(relay(MessageStream(model=""), [LIVELY])):
        if told["type"] == "content_block_start":
            open_blocks.add(told["index"])
        elif told["type"] == "content_block_delta":
            assert told["index"] in open_blocks
        elif told["type"] == "content_block_stop":
            open_blocks.remove(told["index"])


def test_changed_texts_are_all_that_a_client_sees(relay: Any) -> None:
    wire = relay(MessageStream(model="alias"), [LIVELY], lambda _: "{}")
    assert accumulated(wire) == {0: "{}", 1: "{}", 2: "{}"}
    assert b"https://e" not in wire, "a block that comes whole goes whole when its text was changed"
    assert events(wire)[0]["message"]["model"] == "alias"


@given(st.lists(st.integers(0, len(LIVELY)), max_size=20))
def test_events_do_not_depend_on_where_chunks_break(cuts: list[int]) -> None:
    reader = MessageStream(model="")
    parts = [LIVELY[a:b] for a, b in pairwise([0, *sorted(cuts), len(LIVELY)])]
    assert [told for part in parts for told in reader.feed(part)] == list(MessageStream(model="").feed(LIVELY))


def test_blocks_that_start_with_their_text_are_divided(relay: Any) -> None:
    parts = [
        BEGIN,
        start(0, type="text", text="now"),
        stop(0),
        start(1, type="tool_use", id="t", name="f", input={"a": 1}),
        stop(1),
        END,
    ]
    wire = relay(MessageStream(model=""), parts, lambda text: text.replace("now", "[x]"))
    assert accumulated(wire) == {0: "[x]", 1: '{"a":1}'}
    assert b"now" not in wire


@pytest.mark.parametrize(
    "data",
    [
        b"data: x\n\n",
        b"data: []\n\n",
        event("error", error={"type": "overloaded_error", "message": "internal"}),
        event("message_start"),
        event("message_start", message={"content": [{"type": "text", "text": "early"}]}),
        event("content_block_start", index=0),
        event("content_block_start", index="0", content_block={"type": "text"}),
        start(0, type="text") + start(0, type="text"),
        delta(0, "text_delta", text="into no block"),
        start(0, type="text") + delta(0, "input_json_delta", partial_json="{}"),
        start(0, type="text") + delta(0, "text_delta", text=7),
        start(0, type="x_tool_result", content=7),
        b"".join(start(index, type="text") for index in range(2000)),
    ],
)
def test_a_lying_upstream_is_refused(data: bytes) -> None:
    with pytest.raises(BadUpstream):
        list(MessageStream(model="").feed(data))


def test_a_stream_that_is_cut_short_is_told() -> None:
    reader = MessageStream(model="")
    list(reader.feed(LIVELY[:-5]))
    with pytest.raises(BadUpstream):
        list(reader.close())


def test_a_made_end_stops_open_blocks() -> None:
    reader = MessageStream(model="")
    list(reader.feed(BEGIN + start(0, type="text", text="") + delta(0, "text_delta", text="x")))
    told = events(reader.ended("0/text/0", "content_filter"))
    assert [each["type"] for each in told] == ["content_block_stop", "message_delta", "message_stop"]
    assert told[1]["delta"]["stop_reason"] == "refusal"


@given(st.data())
def test_mutated_events_are_read_or_refused(data: st.DataObject) -> None:
    parts = LIVELY.split(b"\n\n")[:-1]
    place = data.draw(st.integers(0, len(parts) - 1))
    told = json.loads(parts[place].partition(b"data: ")[2])
    key = data.draw(st.sampled_from(sorted(told)))
    told[key] = data.draw(
        st.none() | st.integers() | st.text(max_size=3) | st.just([]) | st.just({}) | st.just({"type": "text", "text": 1})
    )
    parts[place] = b"data: " + json.dumps(told).encode()
    reader = MessageStream(model="")
    try:
        for each in reader.feed(b"\n\n".join(parts) + b"\n\n"):
            if each.repeats:
                reader.restated(each, {})
            elif each.channel and not each.finish:
                reader.made(each.channel, "x")
    except BadUpstream:
        return
