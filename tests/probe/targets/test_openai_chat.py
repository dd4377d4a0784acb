"""OpenAI-compatible chat, whole and streamed, against a stub on loopback."""

import asyncio
import base64
import json
from typing import Any

import pytest
from aiohttp import web
from stub_api import asked, completion, events, failed, sent, serving, told, user

from hauberk.assets.chat import Role, ToolCall, ToolSpec
from hauberk.probe.targets import TargetOptions, open_target
from hauberk.probe.targets.target import Fault, Message, Reply, Request, TargetError

TOOL = ToolSpec("pay", "Pays a bill.", {"type": "object", "properties": {"sum": {"type": "number"}}})


def heard(request: Request, answer: dict[str, Any] | None = None, **options: Any) -> tuple[dict[str, Any], Any]:
    """The body and headers that the API got."""
    got: list[Any] = []

    async def handler(asking: web.Request) -> web.Response:
        got.append((await asking.json(), asking))
        return web.json_response(answer or completion())

    asked(handler, request, **options)
    return got[0]


def test_an_answer_is_a_reply() -> None:
    body = {**completion("Paris."), "usage": {"prompt_tokens": 7, "completion_tokens": 2}}
    reply = asked(told(body=body))
    assert (reply.text, reply.finish, reply.blocked, reply.cut) == ("Paris.", "stop", "", False)
    assert (reply.usage.prompt, reply.usage.completion, reply.usage.estimated) == (7, 2, False)
    assert 0 < reply.seconds < 5


def test_usage_is_estimated_when_absent() -> None:
    usage = asked(told(body=completion("four words in all")), user("Hello there")).usage
    assert usage.estimated
    assert 4 < usage.prompt < 12
    assert 3 < usage.completion < 8


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {"prompt_tokens": None, "completion_tokens": None},
        {},
        {"prompt_tokens": -5, "completion_tokens": "many"},
        {"prompt_tokens": 10**30, "completion_tokens": 1e300},
        "none",
        [1],
    ],
)
def test_null_usage_is_no_usage(usage: Any) -> None:
    assert asked(told(body={**completion(), "usage": usage})).usage.estimated


def test_what_is_sent() -> None:
    picture = b"\x89PNG\r\n\x1a\n" + b"x" * 9
    request = Request(
        (
            Message(Role.SYSTEM, "Be kind."),
            Message(Role.USER, "Look", images=(picture,)),
            Message(Role.ASSISTANT, "", calls=(ToolCall("pay", '{"sum":1}', "c1"),)),
            Message(Role.TOOL, "paid", call_id="c1", name="pay"),
            Message(Role.DOCUMENT, "A page."),
        ),
        tools=(TOOL,),
        max_tokens=9,
        temperature=0.5,
        seed=3,
    )
    body, asking = heard(request, images=True, api_key_env="PROBE_TEST_KEY", headers={"X-Team": "red"})
    system, look, calls, result, page = body["messages"]
    assert system == {"role": "system", "content": "Be kind."}
    assert look["content"][0] == {"type": "text", "text": "Look"}
    url = look["content"][1]["image_url"]["url"]
    assert base64.b64decode(url.removeprefix("data:image/png;base64,")) == picture
    assert calls["tool_calls"] == [{"id": "c1", "type": "function", "function": {"name": "pay", "arguments": '{"sum":1}'}}]
    assert result == {"role": "tool", "content": "paid", "tool_call_id": "c1"}
    assert page["role"] == "user"
    assert body["tools"][0]["function"]["name"] == "pay"
    assert (body["model"], body["max_tokens"], body["temperature"], body["seed"]) == ("m", 9, 0.5, 3)
    assert asking.path == "/v1/chat/completions"
    assert asking.headers["authorization"] == "Bearer sk-very-secret"
    assert asking.headers["x-team"] == "red"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_TEST_KEY", "sk-very-secret")


def test_the_system_prompt_of_the_options_stands_where_there_is_none() -> None:
    body, _ = heard(user("x"), system="You are a bank.")
    assert body["messages"][0] == {"role": "system", "content": "You are a bank."}
    body, _ = heard(Request((Message(Role.SYSTEM, "own"), Message(Role.USER, "x"))), system="You are a bank.")
    assert [message["content"] for message in body["messages"]] == ["own", "x"]


def test_a_json_schema_is_passed_on() -> None:
    body, _ = heard(user("x", json_schema={"type": "object"}))
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_lone_surrogates_are_sent_written_out() -> None:
    body, _ = heard(user("a\ud800b"))
    assert body["messages"][0]["content"] == "a\\ud800b"


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/v1/chat/completions"])
def test_every_way_to_write_the_address_is_one_target(path: str) -> None:
    got: list[str] = []

    async def handler(asking: web.Request) -> web.Response:
        got.append(asking.path)
        return web.json_response(completion())

    asked(handler, path=path)
    assert got == ["/v1/chat/completions"]


def test_the_query_of_the_address_goes_with_every_request() -> None:
    got: list[str] = []

    async def handler(asking: web.Request) -> web.Response:
        got.append(asking.path_qs)
        return web.json_response(completion())

    asked(handler, path="/openai/deployments/x?api-version=2024-10-21")
    assert got == ["/openai/deployments/x/chat/completions?api-version=2024-10-21"]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": None}, ""),
        ({"content": ""}, ""),
        ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}, {"type": "x"}]}, "ab"),
        ({"content": None, "refusal": "I cannot."}, "I cannot."),
        ({"content": "b", "reasoning_content": "a", "reasoning": {"x": [1]}}, "b"),
        ({}, ""),
    ],
)
def test_shapes_of_content(message: dict[str, Any], text: str) -> None:
    body = {"choices": [{"message": message, "finish_reason": "stop", "logprobs": None}]}
    assert asked(told(body=body)).text == text


def test_tool_calls_are_read_with_arguments_as_text_or_object() -> None:
    calls = [
        {"id": "a", "type": "function", "function": {"name": "pay", "arguments": '{"sum": 1}'}},
        {"id": "b", "type": "function", "function": {"name": "pay", "arguments": {"sum": 2}}},
    ]
    reply = asked(told(body=completion(None, tool_calls=calls)))
    assert reply.calls == (ToolCall("pay", '{"sum": 1}', "a"), ToolCall("pay", '{"sum":2}', "b"))


def chunk(content: str | None = None, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {
        "choices": [
            {"index": 0, "delta": {**({"content": content} if content is not None else {}), **delta}, "finish_reason": finish}
        ]
    }


def streamed(*chunks: Any, done: bool = True, **options: Any) -> Reply:
    return asked(told(body=events(*chunks, done=done), kind="text/event-stream; charset=utf-8"), stream=True, **options)


def test_a_stream_is_joined() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
    reply = streamed(
        chunk("", role="assistant"), chunk("Par"), chunk(reasoning_content="hm"), chunk("is."), chunk(finish="stop"), usage
    )
    assert (reply.text, reply.finish, reply.usage.prompt, reply.usage.completion) == ("Paris.", "stop", 3, 2)
    assert not reply.usage.estimated


def test_a_streams_tool_calls_are_put_together() -> None:
    def piece(index: int, arguments: str, **more: Any) -> dict[str, Any]:
        return chunk(tool_calls=[{"index": index, "function": {"arguments": arguments, **more.pop("function", {})}, **more}])

    reply = streamed(
        piece(0, "", id="a", function={"name": "pay"}),
        piece(0, '{"sum"'),
        piece(1, "{}", id="b", function={"name": "look"}),
        piece(0, ":1}"),
        chunk(finish="tool_calls"),
    )
    assert reply.calls == (ToolCall("pay", '{"sum":1}', "a"), ToolCall("look", "{}", "b"))
    assert reply.finish == "tool_calls"


def test_a_stream_without_its_done_mark_is_whole_when_it_said_why_it_ended() -> None:
    assert streamed(chunk("a"), chunk(finish="stop"), done=False).text == "a"


def test_a_stream_that_breaks_off_is_no_answer() -> None:
    with pytest.raises(TargetError, match="broke off") as error:
        streamed(chunk("a"), done=False)
    assert error.value.fault is Fault.CONNECT


def test_a_stream_without_choices_is_no_answer() -> None:
    with pytest.raises(TargetError, match="without an answer"):
        streamed({"choices": []})


def test_an_answer_that_is_whole_though_a_stream_was_asked_for_is_taken() -> None:
    assert asked(told(body=completion("x")), stream=True).text == "x"


GUARD = {
    "error": {
        "message": "The content was refused by the policy of this service. (incident inc-5T599MQW7Y)",
        "type": "invalid_request_error",
        "param": None,
        "code": "content_filter",
        "incident_id": "inc-5T599MQW7Y",
    }
}
AZURE = {
    "error": {
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        "code": "content_filter",
        "status": 400,
        "innererror": {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"jailbreak": {"filtered": True}}},
    }
}


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, GUARD, "content_filter: The content was refused by the policy of this service. (incident inc-5T599MQW7Y)"),
        (403, {"error": {**GUARD["error"], "code": "content_blocked"}}, "content_blocked: "),
        (400, AZURE, "content_filter: "),
        (400, {"error": {"message": "{'error': 'Violated guardrail policy'}", "type": "None", "code": "400"}}, "policy: "),
        (400, {"detail": {"error": "Violated content safety policy"}}, "policy: "),
        (400, {"detail": "Prompt injection detected"}, "policy: "),
        (400, {"error": {"message": "Content Exists Risk", "type": "invalid_request_error"}}, "policy: "),
        (
            400,
            {"code": "data_inspection_failed", "message": "Input data may contain inappropriate content."},
            "data_inspection_failed: ",
        ),
        (200, {"error": {"code": "1301", "message": "系统检测到输入或生成内容可能包含不安全或敏感内容"}}, "1301: "),
        (400, [{"error": {"code": 400, "message": "blocked by safety policy", "status": "INVALID_ARGUMENT"}}], "policy: "),
    ],
)
def test_a_guards_block_is_an_answer(status: int, body: Any, reason: str) -> None:
    reply = asked(told(status, body))
    assert reply.blocked.startswith(reason)
    assert reply.text == ""


def test_a_filtered_answer_is_blocked_and_keeps_its_text() -> None:
    body = completion("some")
    body["choices"][0]["finish_reason"] = "content_filter"
    reply = asked(told(body=body))
    assert (reply.text, reply.blocked) == ("some", "content_filter")


def test_a_guards_block_at_the_end_of_a_stream_keeps_what_came_before() -> None:
    reply = streamed(chunk("So far"), GUARD)
    assert reply.text == "So far"
    assert "inc-5T599MQW7Y" in reply.blocked


def test_an_error_in_the_middle_of_a_stream_is_a_fault() -> None:
    with pytest.raises(TargetError, match="overloaded") as error:
        streamed(chunk("a"), {"error": {"message": "overloaded", "type": "server_error"}})
    assert error.value.fault is Fault.SERVER


@pytest.mark.parametrize(
    ("status", "body", "fault", "words"),
    [
        (401, {"error": {"message": "Incorrect API key provided: sk-very-secret"}}, Fault.AUTH, "provided: ***; check the API key"),
        (403, {"error": {"message": "no"}}, Fault.AUTH, "check the API key"),
        (403, {"error": {"message": "not yours", "code": "tool_not_allowed"}}, Fault.REJECTED, "not yours"),
        (404, {"error": {"message": "no such model", "code": "model_not_found"}}, Fault.SETUP, "the model's name"),
        (400, {"error": {"message": "context length exceeded"}}, Fault.REJECTED, "context length"),
        (413, b"too long", Fault.REJECTED, "too long"),
        (422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, Fault.REJECTED, "field required"),
        (402, {"error": {"message": "pay"}}, Fault.SETUP, "no quota"),
        (429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}, Fault.RATE_LIMIT, "slow down"),
        (429, {"error": {"message": "broke", "code": "insufficient_quota"}}, Fault.SETUP, "no quota left"),
        (408, {}, Fault.TIMEOUT, "408"),
        (500, b"\xff\xfe\x00boom", Fault.SERVER, "500"),
        (503, {"error": "loading model"}, Fault.SERVER, "loading model"),
        (529, {}, Fault.SERVER, "529"),
        (302, {}, Fault.SETUP, "redirects"),
        (204, b"", Fault.GARBAGE, "204"),
        (200, {"choices": []}, Fault.GARBAGE, "no choices"),
        (200, {"choices": None}, Fault.GARBAGE, "no choices"),
        (200, {"choices": [{}]}, Fault.GARBAGE, "no message"),
        (200, {"choices": {"a": 1}}, Fault.GARBAGE, "Expected `array"),
        (200, b"", Fault.GARBAGE, "no completion"),
        (200, b"not json", Fault.GARBAGE, "no completion"),
        (200, b"[" * 100_000, Fault.GARBAGE, "no completion"),
        (200, b'{"choices":' + b"[" * 100_000, Fault.GARBAGE, "no completion"),
        (200, {"error": {"message": "no", "type": "overloaded_error"}}, Fault.SERVER, "no"),
    ],
)
def test_faults(status: int, body: Any, fault: Fault, words: str) -> None:
    error = failed(told(status, body), api_key_env="PROBE_TEST_KEY")
    assert error.fault is fault
    assert words in str(error)
    assert "sk-very-secret" not in str(error)
    assert "http://127.0.0.1:" in str(error)


@pytest.mark.parametrize(
    ("status", "fault"), [(502, Fault.SERVER), (200, Fault.GARBAGE), (403, Fault.REJECTED), (404, Fault.SETUP)]
)
def test_html_pages(status: int, fault: Fault) -> None:
    error = failed(told(status, b"<!DOCTYPE html><html><h1>Bad gateway</h1></html>", kind="text/html"))
    assert error.fault is fault
    assert "HTML page" in str(error)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("1.5", 1.5), ("soon", None), ("-3", 0.0), ("1e99", 3600.0), ("nan", None)]
)
def test_retry_after(header: str, seconds: float | None) -> None:
    assert failed(told(429, {}, retry_after=header)).retry_after == seconds


def test_retry_after_as_a_date() -> None:
    assert failed(told(429, {}, retry_after="Wed, 21 Oct 2015 07:28:00 GMT")).retry_after == 0.0
    assert failed(told(503, {}, retry_after="Fri, 31 Dec 2100 23:59:59 GMT")).retry_after == 3600.0


def test_a_schema_that_changes_in_the_middle_of_a_run_is_garbage_and_then_goes_on() -> None:
    answers: list[Any] = [completion("one"), {"output": "two"}, completion("three")]

    async def handler(_: web.Request) -> web.Response:
        return web.json_response(answers.pop(0))

    async def go() -> None:
        async with serving(handler) as url:
            target = open_target(url, TargetOptions(model="m"))
            session = await target.open()
            assert (await session.send(user())).text == "one"
            with pytest.raises(TargetError) as error:
                await session.send(user())
            assert error.value.fault is Fault.GARBAGE
            assert (await session.send(user())).text == "three"
            await target.close()

    asyncio.run(go())


def test_a_parameter_that_the_model_does_not_take_is_left_out() -> None:
    got: list[dict[str, Any]] = []

    async def handler(asking: web.Request) -> web.Response:
        body = await asking.json()
        got.append(body)
        for name in ("max_tokens", "temperature"):
            if name in body:
                error = {"message": f"Unsupported parameter: '{name}'", "param": name, "code": "unsupported_parameter"}
                return web.json_response({"error": error}, status=400)
        return web.json_response(completion("fine"))

    assert asked(handler).text == "fine"
    assert len(got) == 3
    assert got[-1]["max_completion_tokens"] == 512


def test_the_only_model_is_taken_when_none_is_named() -> None:
    got: list[Any] = []

    async def handler(asking: web.Request) -> web.Response:
        if asking.path == "/v1/models":
            return web.json_response({"data": [{"id": "only"}]})
        got.append((await asking.json())["model"])
        return web.json_response(completion())

    asked(handler, model="")
    assert got == ["only"]


def test_the_model_must_be_named_where_there_are_several() -> None:
    error = failed(told(body={"data": [{"id": "a"}, {"id": "b"}]}), model="")
    assert error.fault is Fault.SETUP
    assert "one of a, b" in str(error)


def test_credentials_stand_in_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    target = open_target("http://h:1/v1?key=abc", TargetOptions(model="m", headers={"x": "${PROBE_TEST_KEY}"}))
    assert target.name == "http://h:1/v1 m"


@pytest.mark.parametrize("spec", ["http://u:p@h/v1", "http://", "http://h:99999/v1", "ftp://x", "nonsense", ""])
def test_bad_specs_are_one_clear_line(spec: str) -> None:
    with pytest.raises(TargetError) as error:
        open_target(spec, TargetOptions())
    assert error.value.fault is Fault.SETUP
    assert "p@h" not in str(error.value)


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(TargetError, match="PROBE_NOT_SET is not set"):
        open_target("http://h/v1", TargetOptions(api_key_env="PROBE_NOT_SET"))


def test_nobody_there() -> None:
    async def go() -> None:
        await sent("http://127.0.0.1:9")

    with pytest.raises(TargetError, match="cannot connect") as error:
        asyncio.run(go())
    assert error.value.fault is Fault.CONNECT


def test_the_body_is_utf8_json() -> None:
    async def handler(asking: web.Request) -> web.Response:
        assert json.loads(await asking.read())["messages"][0]["content"] == "你好"
        return web.json_response(completion("好"))

    assert asked(handler, user("你好")).text == "好"
