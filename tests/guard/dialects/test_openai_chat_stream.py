import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.guard.dialects.dialect import BadUpstream, Delta, EventStream, Refusal
from hauberk.guard.dialects.openai_chat import OpenAIChat
from hauberk.guard.dialects.openai_chat_stream import ChatStream
from hauberk.guard.dialects.openai_completions import OpenAICompletions

DONE = b"data: [DONE]\n\n"


def stream(*, asked_usage: bool = False, model: str = "") -> ChatStream:
    return ChatStream(asked_usage=asked_usage, model=model)


def chunk(delta: Any, finish: str | None = None, index: int = 0, **more: Any) -> bytes:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: " + json.dumps({**head, "choices": [choice], **more}).encode() + b"\n\n"


def usage(**more: Any) -> bytes:
    body = {"id": "c1", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}, **more}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def call(index: int, arguments: str, name: str = "", call_id: str = "") -> dict[str, Any]:
    function = {"arguments": arguments, **({"name": name} if name else {})}
    head = {"id": call_id, "type": "function"} if call_id else {}
    return {"tool_calls": [{"index": index, **head, "function": function}]}


def events(wire: bytes) -> list[Any]:
    blocks = [block.removeprefix(b"data: ") for block in wire.split(b"\n\n") if block.startswith(b"data: ")]
    return [block.decode() if block == b"[DONE]" else json.loads(block) for block in blocks]


def accumulated(wire: bytes) -> dict[str, str]:
    """What a client makes of a stream: texts by choice and key."""
    whole: dict[str, str] = {}
    for event in events(wire):
        for choice in event["choices"] if isinstance(event, dict) else []:
            index = choice["index"]
            for key, value in choice["delta"].items():
                if key == "tool_calls":
                    for made in value:
                        name = f"{index}/tool/{made['index']}"
                        whole[name] = whole.get(name, "") + made["function"].get("arguments", "")
                elif isinstance(value, str):
                    whole[f"{index}/{key}"] = whole.get(f"{index}/{key}", "") + value
    return {key: value for key, value in whole.items() if value}


LIVELY = (
    chunk({"role": "assistant", "content": ""})
    + chunk({"content": "Hello"})
    + chunk({"content": " world", "reasoning_content": "hm"})
    + chunk({"role": "assistant", "content": "!"}, index=1)
    + chunk(call(0, '{"a"', "f", "call_1"))
    + chunk(call(1, "{}", "g", "call_2"))
    + chunk(call(0, ":1}"))
    + chunk({"content": "end"}, "stop", index=1)
    + chunk({}, "tool_calls")
    + usage()
    + DONE
)
WHOLE = {
    "0/role": "assistant",
    "1/role": "assistant",
    "0/content": "Hello world",
    "0/reasoning_content": "hm",
    "1/content": "!end",
    "0/tool/0": '{"a":1}',
    "0/tool/1": "{}",
}


def test_each_channel_has_its_text(relay: Any) -> None:
    wire = relay(stream(), [LIVELY])
    assert relay.came == {
        "0": "Hello world",
        "0/reasoning_content": "hm",
        "0/tool/0": '{"a":1}',
        "0/tool/1": "{}",
        "1": "!end",
    }
    assert relay.tools == {"0/tool/0": "f", "0/tool/1": "g"}
    assert accumulated(wire) == WHOLE
    assert events(wire)[-1] == "[DONE]"


@given(st.lists(st.integers(0, len(LIVELY)), max_size=30))
def test_events_do_not_depend_on_where_chunks_break(cuts: list[int]) -> None:
    reader, whole = stream(), stream()
    parts = [LIVELY[a:b] for a, b in pairwise([0, *sorted(cuts), len(LIVELY)])]
    assert [delta for part in parts for delta in reader.feed(part)] == list(whole.feed(LIVELY))


def test_raw_events_say_what_the_upstream_said() -> None:
    assert accumulated(b"".join(delta.raw for delta in stream().feed(LIVELY))) == WHOLE


def test_changed_texts_are_all_that_a_client_sees(relay: Any) -> None:
    wire = relay(stream(), [LIVELY], lambda text: f"<{len(text)}>")
    assert accumulated(wire) == {
        **{key: "assistant" for key in WHOLE if key.endswith("role")},
        "0/content": "<11>",
        "0/reasoning_content": "<2>",
        "1/content": "<4>",
        "0/tool/0": "<7>",
        "0/tool/1": "<2>",
    }


def test_a_call_in_one_event_is_opened_before_its_arguments() -> None:
    opening, arguments = stream().feed(chunk(call(0, '{"a":1}', "f", "call_1")))
    assert (opening.tool, opening.tool_id, opening.text) == ("f", "call_1", "")
    assert (arguments.channel, arguments.text, arguments.tool) == ("0/tool/0", '{"a":1}', "")


def test_old_function_calls_are_calls_too(relay: Any) -> None:
    parts = [
        chunk({"role": "assistant", "function_call": {"name": "f", "arguments": ""}}),
        chunk({"function_call": {"arguments": "{}"}}),
        chunk({}, "function_call"),
        DONE,
    ]
    wire = relay(stream(), parts, lambda _: '{"x":1}')
    assert relay.tools == {"0/tool/function": "f"}
    assert '{"x":1}' in [event["choices"][0]["delta"].get("function_call", {}).get("arguments") for event in events(wire)[:-1]]


def test_custom_tools_are_calls_too(relay: Any) -> None:
    """Regression: the input of a custom tool was lost, but for its first piece, which passed unjudged."""

    def said(text: str, **more: Any) -> bytes:
        return chunk({"tool_calls": [{"index": 0, **more, "custom": {"input": text, **({"name": "run"} if more else {})}}]})

    parts = [said("ls ", id="call_1", type="custom"), said("-la "), said("/etc"), chunk({}, "tool_calls"), DONE]
    wire = relay(stream(), parts)
    assert relay.tools == {"0/tool/0": "run"}
    assert relay.came == {"0/tool/0": "ls -la /etc"}
    calls = [event["choices"][0]["delta"].get("tool_calls", [{}])[0] for event in events(wire)[:-1]]
    assert calls[0] == {"index": 0, "id": "call_1", "type": "custom", "custom": {"name": "run", "input": ""}}
    assert "".join(call.get("custom", {}).get("input", "") for call in calls) == "ls -la /etc"
    changed = relay.__class__()(stream(), parts, lambda _: "[x]")
    assert b"-la" not in changed
    assert b"/etc" not in changed


def test_a_call_that_is_of_both_kinds_says_nothing_unjudged(relay: Any) -> None:
    both = {"index": 0, "id": "c", "function": {"name": "f", "arguments": "one"}, "custom": {"name": "g", "input": "two"}}
    wire = relay(stream(), [chunk({"tool_calls": [both]}), chunk({"tool_calls": [{**both, "id": None}]}), DONE], lambda _: "[x]")
    assert relay.came == {"0/tool/0": "onetwoonetwo"}
    assert b"one" not in wire
    assert b"two" not in wire


def test_usage_is_hidden_from_a_client_that_did_not_ask(relay: Any) -> None:
    wire = relay(stream(), [chunk({"content": "x"}, usage=None), chunk({}, "stop", usage=None), usage(), DONE])
    assert b"usage" not in wire
    assert [delta.usage.output for delta in relay.deltas if delta.usage] == [4]


def test_usage_is_shown_to_a_client_that_asked(relay: Any) -> None:
    wire = relay(stream(asked_usage=True), [chunk({"content": "x"}), chunk({}, "stop"), usage(), DONE])
    assert events(wire)[-2]["usage"]["completion_tokens"] == 4


def test_usage_beside_the_end_is_read(relay: Any) -> None:
    spent = {"prompt_tokens": 1, "completion_tokens": 2}
    wire = relay(stream(), [chunk({"content": "x"}, "stop", usage=spent), DONE])
    assert accumulated(wire) == {"0/content": "x"}
    assert [delta.usage.input for delta in relay.deltas if delta.usage] == [1]
    assert events(wire)[-2]["choices"][0]["finish_reason"] == "stop"


def test_the_model_is_named_as_the_client_knows_it(relay: Any) -> None:
    wire = relay(stream(model="alias"), [chunk({"content": "x"}), chunk({}, "stop"), DONE])
    assert {event["model"] for event in events(wire) if isinstance(event, dict)} == {"alias"}


def test_logprobs_go_where_the_text_is_written_anew(relay: Any) -> None:
    body = {"index": 0, "delta": {"content": "secret"}, "logprobs": {"content": [{"token": "secret"}]}, "finish_reason": None}
    told = b"data: " + json.dumps({"id": "c", "choices": [body]}).encode() + b"\n\n"
    assert b"secret" not in relay(stream(), [told, chunk({}, "stop"), DONE], lambda _: "[x]")


def test_what_repeats_a_text_unseen_does_not_pass(relay: Any) -> None:
    last = {"index": 0, "delta": {}, "message": {"content": "secret"}, "text": "secret", "finish_reason": "stop"}
    hidden = chunk({"content": "secret", "reasoning_details": [{"type": "reasoning.text", "text": "secret with words"}]})
    wire = relay(stream(), [hidden, b"data: " + json.dumps({"choices": [last]}).encode() + b"\n\n", DONE], lambda _: "[x]")
    assert b"secret" not in wire


def test_nor_does_it_pass_in_an_event_that_is_sent_as_it_came() -> None:
    """Regression: a gateway sends an event whose text was let go unchanged byte for byte."""
    hidden = {"content": "a", "reasoning_details": [{"type": "reasoning.text", "text": "secret with words"}], "x/y": "secret"}
    assert b"secret" not in b"".join(delta.raw for delta in stream().feed(chunk({"role": "assistant"}) + chunk(hidden)))


def test_content_in_parts_is_text(relay: Any) -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "thinking", "thinking": [{"type": "text", "text": "b"}]}]
    relay(stream(), [chunk({"content": parts}), chunk({}, "stop"), DONE])
    assert relay.came == {"0": "ab"}


def test_duplicate_keys_are_settled_before_a_client_sees_them() -> None:
    (delta,) = stream().feed(b'data: {"choices":[{"index":0,"delta":{"content":"bad","content":"good"}}]}\n\n')
    assert delta.text == "good"
    assert b"bad" not in delta.raw


def test_comments_keep_the_connection_open_without_their_text() -> None:
    assert list(stream().feed(b": OPENROUTER PROCESSING\n\n")) == [Delta(b":\n\n")]


@pytest.mark.parametrize(
    "data",
    [
        b"data: {\n\n",
        b"data: 7\n\n",
        b"data: {}\n\n",
        b'data: {"choices":{}}\n\n',
        b'data: {"choices":[7]}\n\n',
        b'data: {"choices":[{"index":-1,"delta":{}}]}\n\n',
        b'data: {"choices":[{"index":1000,"delta":{}}]}\n\n',
        b'data: {"choices":[{"index":0,"delta":7}]}\n\n',
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":{}}}]}\n\n',
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[7]}}]}\n\n',
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":"x"}]}}]}\n\n',
        b'data: {"error":{"message":"internal","type":"server_error"}}\n\n',
        chunk({}, "stop") + chunk({"content": "after the end"}),
    ],
)
def test_a_lying_upstream_is_refused(data: bytes) -> None:
    with pytest.raises(BadUpstream):
        list(stream().feed(data))


def test_odd_keys_of_a_delta_are_no_channel() -> None:
    deltas = list(stream().feed(chunk({"tool/x": "a", "": "b", "a/b": "c", "content": "d"})))
    assert [(delta.channel, delta.text) for delta in deltas if delta.channel] == [("0", "d")]


def test_a_stream_that_is_cut_short_is_told_from_one_that_ended() -> None:
    cut = stream()
    list(cut.feed(chunk({"content": "x"})))
    with pytest.raises(BadUpstream, match="ended before"):
        list(cut.close())
    with pytest.raises(BadUpstream):
        list(stream().close())
    without_done = stream()
    list(without_done.feed(chunk({"content": "x"}) + chunk({}, "stop")))
    assert [delta.done for delta in without_done.close()] == [True]


def test_what_comes_after_the_end_is_not_read(relay: Any) -> None:
    wire = relay(stream(), [chunk({"content": "x"}), chunk({}, "stop"), DONE, chunk({"content": "more"})])
    assert b"more" not in wire


def test_a_choice_that_never_says_why_it_ended_ends_with_the_stream(relay: Any) -> None:
    assert accumulated(relay(stream(), [chunk({"content": "x"}), DONE])) == {"0/content": "x"}


def test_a_made_end_and_an_error() -> None:
    reader = stream()
    list(reader.feed(chunk({"content": "x"})))
    (end,) = events(reader.ended("0/tool/1", "content_filter"))
    assert end["choices"] == [{"index": 0, "delta": {}, "finish_reason": "content_filter"}]
    error, done = events(reader.error(Refusal(403, "content_blocked", "Stopped.", incident="inc_1")))
    assert error["error"]["code"] == "content_blocked"
    assert "inc_1" in error["error"]["message"]
    assert done == "[DONE]"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["content", "role", "index", "function", "name", "arguments", "id", "tool_calls", "audio", "transcript", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(st.tuples(JSON, st.none() | st.just("stop"), st.integers(0, 2)), max_size=6))
def test_any_deltas_are_read_or_refused(deltas: list[tuple[Any, str | None, int]]) -> None:
    reader = stream()
    try:
        for delta in reader.feed(b"".join(chunk(*delta) for delta in deltas) + DONE):
            assert not delta.channel or not delta.text or reader.made(delta.channel, delta.text)
    except BadUpstream:
        return


def completion(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}
    return b"data: " + json.dumps({"id": "c", "object": "text_completion", "model": "m", "choices": [choice]}).encode() + b"\n\n"


def test_completions_stream(relay: Any) -> None:
    dialect = OpenAICompletions()
    reader: EventStream = dialect.stream(dialect.read(b'{"model":"m","prompt":"x","stream":true}'))
    wire = relay(reader, [completion("Hel"), completion("lo"), completion("!", "length"), usage(), DONE], str.upper)
    assert relay.came == {"0": "Hello!"}
    assert "".join(event["choices"][0]["text"] for event in events(wire)[:-1]) == "HELLO!"
    assert events(wire)[-2]["choices"][0]["finish_reason"] == "length"
    with pytest.raises(BadUpstream):
        list(dialect.stream(dialect.read(b'{"model":"m"}')).feed(b'data: {"choices":[{"index":0,"text":7}]}\n\n'))


def test_the_dialect_hands_out_a_reader_that_knows_what_was_asked(relay: Any) -> None:
    body = {"model": "m", "stream": True, "stream_options": {"include_usage": True}, "messages": [{"role": "user", "content": "x"}]}
    chat = OpenAIChat()
    wire = relay(chat.stream(chat.read(json.dumps(body).encode())), [chunk({}, "stop"), usage(), DONE])
    assert b"usage" in wire


@given(st.lists(st.sampled_from(["a", "bc", ""]), max_size=10), st.integers(1, 2))
def test_the_common_event_is_read_like_any_other(texts: list[str], times: int) -> None:
    """The short way for the next words of a text gives what the long way gives."""
    reader, wire = stream(), [chunk({"role": "assistant", "content": ""}), *(chunk({"content": text}) for text in texts)]
    deltas = [delta for part in wire for delta in reader.feed(part * times)]
    assert "".join(delta.text for delta in deltas) == "".join(text * times for text in texts)
    assert accumulated(b"".join(delta.raw for delta in deltas)).get("0/content", "") == "".join(d.text for d in deltas)
