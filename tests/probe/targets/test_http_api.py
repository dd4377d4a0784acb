"""HTTP APIs described in TOML."""

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from stub_api import raw, serving, told, user

from hauberk.assets.chat import Role
from hauberk.probe.targets import TargetOptions, open_target
from hauberk.probe.targets.http_template import KNOWN
from hauberk.probe.targets.json_path import BadPath, JsonPath
from hauberk.probe.targets.target import Fault, Message, Reply, Request, TargetError

TALK = Request(
    (Message(Role.SYSTEM, "Be kind."), Message(Role.USER, "One"), Message(Role.ASSISTANT, "Two"), Message(Role.USER, "Three")),
    max_tokens=9,
)
SIMPLE = """
url = "URL/chat"
body = {query = "{{prompt}}"}
[answer]
text = "data.answer"
"""


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., list[Reply]]:
    """Sends requests in one conversation to what a TOML text describes, with URL for the stub's address."""

    def go(toml: str, handler: Any, *requests: Request, **options: Any) -> list[Reply]:
        async def run() -> list[Reply]:
            async with serving(handler) as url:
                path = tmp_path / "bot.toml"
                path.write_text(toml.replace("URL", url))
                target = open_target(str(path), TargetOptions(**{"timeout": 5.0, **options}))
                try:
                    session = await target.open()
                    try:
                        return [await session.send(request) for request in requests or (user(),)]
                    finally:
                        await session.close()
                finally:
                    await target.close()

        return asyncio.run(run())

    return go


def recorder(*answers: Any) -> tuple[list[Any], Any]:
    got: list[Any] = []

    async def handler(asking: web.Request) -> web.Response:
        text = await asking.text()
        got.append((asking, json.loads(text) if text.startswith("{") else text))
        return web.json_response(answers[min(len(got), len(answers)) - 1])

    return got, handler


def test_a_prompt_goes_in_and_an_answer_comes_out(ask: Any) -> None:
    got, handler = recorder({"data": {"answer": "Hi"}})
    [reply] = ask(SIMPLE, handler, user('"}, {"admin": true'))
    assert got[0][1] == {"query": '"}, {"admin": true'}
    assert reply.text == "Hi"
    assert reply.usage.estimated


def test_every_placeholder_is_a_value(ask: Any) -> None:
    names = "\n".join(f'{name} = "{{{{{name}}}}}"' for name in KNOWN)
    got, handler = recorder({"text": "x"})
    toml = f'url = "URL/"\n[body]\n{names}\n[answer]\ntext = "text"\n[session]\nkind = "ours"'
    ask(toml, handler, TALK, model="m")
    body = got[0][1]
    assert body["prompt"] == "Three"
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "user"]
    assert body["history"] == [{"role": "user", "content": "One"}, {"role": "assistant", "content": "Two"}]
    assert (body["system"], body["model"], body["max_tokens"], body["seed"], body["images"]) == ("Be kind.", "m", 9, None, [])
    assert len(body["session"]) == 36


def test_messages_in_their_own_words(ask: Any) -> None:
    got, handler = recorder({"text": "x"})
    toml = """
url = "URL/"
body = {turns = "{{history}}", q = "{{prompt}}"}
[messages]
role = "who"
content = "says"
user = "human"
assistant = "bot"
[answer]
text = "text"
"""
    ask(toml, handler, TALK)
    assert got[0][1]["turns"] == [{"who": "human", "says": "One"}, {"who": "bot", "says": "Two"}]


def test_joined_only_when_asked_for(ask: Any) -> None:
    got, handler = recorder({"text": "x"})
    ask('url = "URL/"\njoin = true\nbody = {q = "Say: {{prompt}}!"}\nanswer = {text = "text"}', handler, user("a"))
    assert got[0][1] == {"q": "Say: a!"}


def test_a_get_with_a_query(ask: Any) -> None:
    got, handler = recorder({"text": "x"})
    ask('url = "URL/find?v=1"\nmethod = "GET"\nquery = {q = "{{prompt}}"}\nanswer = {text = "text"}', handler, user("a&b=c #d"))
    assert dict(got[0][0].query) == {"v": "1", "q": "a&b=c #d"}


def test_a_form(ask: Any) -> None:
    got, handler = recorder({"text": "x"})
    ask('url = "URL/"\nencoding = "form"\nbody = {q = "{{prompt}}", n = 3}\nanswer = {text = "text"}', handler, user("a&b=你"))
    assert got[0][1] == "q=a%26b%3D%E4%BD%A0&n=3"


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ('kind = "bearer"\nenv = "BOT_TOKEN"', "authorization", "Bearer tok-secret"),
        ('kind = "header"\nenv = "BOT_TOKEN"\nheader = "X-Key"', "x-key", "tok-secret"),
        (
            'kind = "basic"\nenv = "BOT_TOKEN"\nuser-env = "BOT_USER"',
            "authorization",
            "Basic " + base64.b64encode(b"ann:tok-secret").decode(),
        ),
    ],
)
def test_credentials_come_from_the_environment(
    ask: Any, monkeypatch: pytest.MonkeyPatch, auth: str, header: str, value: str
) -> None:
    monkeypatch.setenv("BOT_TOKEN", "tok-secret")
    monkeypatch.setenv("BOT_USER", "ann")
    got, handler = recorder({"data": {"answer": "x"}})
    ask(f"{SIMPLE}\n[auth]\n{auth}", handler)
    assert got[0][0].headers[header] == value
    with pytest.raises(TargetError) as caught:
        ask(f"{SIMPLE}\n[auth]\n{auth}", told(400, {"message": f"bad header {value}"}))
    assert "tok-secret" not in str(caught.value)
    assert value not in str(caught.value)


def test_the_answer_names_the_conversation(ask: Any) -> None:
    got, handler = recorder({"data": {"answer": "a"}, "id": "conv/7"}, {"data": {"answer": "b"}})
    toml = (
        SIMPLE.replace('"{{prompt}}"', '"{{prompt}}", conversation = "{{session}}"')
        + '[session]\nkind = "answer"\npath = "id"\nfirst = ""'
    )
    assert [reply.text for reply in ask(toml, handler, user("1"), user("2"), user("3"))] == ["a", "b", "b"]
    assert [body["conversation"] for _, body in got] == ["", "conv/7", "conv/7"]


def test_the_conversation_stands_in_the_address(ask: Any) -> None:
    got, handler = recorder({"data": {"answer": "a"}, "id": "x/../y"})
    toml = SIMPLE.replace("URL/chat", "URL/c/{{session}}/say") + '[session]\nkind = "answer"\npath = "id"\nfirst = "new"'
    ask(toml, handler, user("1"), user("2"))
    assert [asking.raw_path for asking, _ in got] == ["/c/new/say", "/c/x%2F..%2Fy/say"]


def test_the_conversation_is_in_a_cookie_of_its_own(tmp_path: Path) -> None:
    seen: list[Any] = []

    async def handler(asking: web.Request) -> web.Response:
        seen.append(asking.cookies.get("sid"))
        response = web.json_response({"data": {"answer": "x"}})
        response.set_cookie("sid", f"s{len(seen)}")
        return response

    async def run() -> None:
        async with serving(handler) as url:
            path = tmp_path / "bot.toml"
            # An address of digits gets no cookies by the standard's rules for domains.
            path.write_text(SIMPLE.replace("URL", url.replace("127.0.0.1", "localhost")) + '[session]\nkind = "cookie"')
            target = open_target(str(path), TargetOptions())
            first, second = await target.open(), await target.open()
            for session in (first, second, first, second):
                await session.send(user())
            await first.close()
            await second.close()
            await target.close()

    asyncio.run(run())
    assert seen[:2] == [None, None]
    assert seen[2] != seen[3]
    assert None not in seen[2:]


STREAM = """
url = "URL/"
body = {q = "{{prompt}}"}
[answer]
text = "delta"
stream = "sse"
done = "[DONE]"
"""


def sse(*data: str) -> Any:
    return told(body="".join(f"data: {each}\n\n" for each in data).encode(), kind="text/event-stream")


def test_a_stream_of_pieces(ask: Any) -> None:
    [reply] = ask(STREAM, sse('{"delta": "a"}', '{"ping": 1}', '{"delta": "b"}', "[DONE]"))
    assert reply.text == "ab"


def test_a_stream_that_repeats_itself(ask: Any) -> None:
    toml = STREAM.replace('done = "[DONE]"', 'pieces = "whole"')
    [reply] = ask(toml, sse('{"delta": "a"}', '{"delta": "ab"}', '{"delta": "abc"}'))
    assert reply.text == "abc"


def test_a_stream_of_plain_text_with_named_events(ask: Any) -> None:
    toml = STREAM.replace('"delta"', '""').replace('done = "[DONE]"', 'event = "message"\ndone-event = "end"')
    body = b"event: status\ndata: thinking\n\nevent: message\ndata: Hel\n\nevent: message\ndata: lo\n\nevent: end\ndata: \n\n"
    [reply] = ask(toml, told(body=body, kind="text/event-stream"))
    assert reply.text == "Hello"


def test_a_stream_of_lines(ask: Any) -> None:
    toml = STREAM.replace('"sse"', '"lines"').replace('done = "[DONE]"', "")
    [reply] = ask(toml, told(body=b'{"delta": "a"}\n\n{"delta": "b"}', kind="application/x-ndjson"))
    assert reply.text == "ab"


def test_a_stream_that_breaks_off_is_no_answer(ask: Any) -> None:
    with pytest.raises(TargetError, match="broke off") as caught:
        ask(STREAM, sse('{"delta": "a"}'))
    assert caught.value.fault is Fault.CONNECT


def test_a_stream_that_never_ends_is_cut(tmp_path: Path) -> None:
    async def run() -> Reply:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
        async with raw(head, forever=b'data: {"delta": "x"}\n\n' * 100) as url:
            path = tmp_path / "bot.toml"
            path.write_text(STREAM.replace("URL", url))
            target = open_target(str(path), TargetOptions(max_bytes=20_000))
            try:
                return await (await target.open()).send(user())
            finally:
                await target.close()

    assert asyncio.run(run()).cut


AGENT = (
    SIMPLE
    + """
finish = "data.why"
prompt-tokens = "usage.in"
completion-tokens = "usage.out"
[blocked]
status = [451]
when = [{path = "code", equals = 4001}, {path = "data.tags[*]", contains = "unsafe"}]
reason = "message"
[steps]
each = "trace[*]"
name = "tool"
arguments = "args"
result = "out.text"
"""
)


def test_an_agents_steps_and_the_rest_of_the_answer(ask: Any) -> None:
    trace = [{"tool": "pay", "args": {"sum": 1}, "out": {"text": "paid"}}, {"tool": "look", "args": None}]
    [reply] = ask(AGENT, told(body={"data": {"answer": "ok", "why": "stop"}, "usage": {"in": 4, "out": 2}, "trace": trace}))
    assert [(step.call.name, step.call.arguments, step.result) for step in reply.steps] == [
        ("pay", '{"sum":1}', "paid"),
        ("look", "", ""),
    ]
    assert (reply.finish, reply.usage.prompt, reply.usage.completion, reply.usage.estimated) == ("stop", 4, 2, False)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (451, {}, "status 451"),
        (451, {"message": "not here"}, "not here"),
        (200, {"code": 4001, "message": "refused"}, "refused"),
        (200, {"code": 4001}, "code is 4001"),
        (200, {"data": {"answer": "x", "tags": ["fine", "very unsafe"]}}, "data.tags[*] is very unsafe"),
        (400, {"code": 4001, "message": "refused"}, "refused"),
        (400, {"error": {"code": "content_filter", "message": "no"}}, "content_filter: no"),
    ],
)
def test_blocks(ask: Any, status: int, body: Any, reason: str) -> None:
    assert ask(AGENT, told(status, body))[0].blocked == reason


@pytest.mark.parametrize(
    ("status", "body", "fault", "words"),
    [
        (200, {"data": {"reply": "x"}}, Fault.GARBAGE, "no `data.answer`; has the API changed"),
        (200, {"data": {"answer": None}}, Fault.GARBAGE, "no `data.answer`"),
        (200, b"<html>x</html>", Fault.GARBAGE, "HTML page"),
        (200, b"{", Fault.GARBAGE, "no JSON"),
        (200, b"[" * 50_000, Fault.GARBAGE, "no JSON"),
        (423, {}, Fault.SERVER, "423"),
        (401, {}, Fault.AUTH, "check the API key"),
        (429, {}, Fault.RATE_LIMIT, "429"),
        (500, b"oops", Fault.SERVER, "oops"),
    ],
)
def test_faults_of_an_api(ask: Any, status: int, body: Any, fault: Fault, words: str) -> None:
    with pytest.raises(TargetError, match=words) as caught:
        ask("retry-status = [423]\n" + SIMPLE, told(status, body))
    assert caught.value.fault is fault


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("", "missing required field `url`"),
        ("url = 7", "url: Expected `str`, got `int`"),
        (SIMPLE.replace('text = "data.answer"', "text = 1"), "answer.text: Expected `str`"),
        (SIMPLE + 'tekst = "x"', "answer: Object contains unknown field `tekst`"),
        ("colour = 1\n" + SIMPLE, "unknown field `colour`"),
        (SIMPLE.replace("{{prompt}}", "{{promt}}"), "body.query: {{promt}} is unknown; known are prompt"),
        (SIMPLE.replace("{{prompt}}", "Hi {{prompt}}"), "body.query: {{prompt}} stands inside a longer string"),
        (SIMPLE.replace("{{prompt}}", "Hi"), "body: has no {{prompt}}"),
        (SIMPLE.replace("/chat", "/{{prompt}}"), "url: only {{session}} may stand in it"),
        (SIMPLE.replace("data.answer", "data..answer"), "answer.text: 'data..answer' is no path"),
        (SIMPLE + '[session]\nkind = "answer"', "session.path: name where"),
        (SIMPLE + '[session]\nkind = "token"', "session.kind: Invalid enum value 'token'"),
        (SIMPLE + '[auth]\nkind = "basic"\nenv = "X"', "auth.user-env"),
        (SIMPLE + '[auth]\nkind = "bearer"', "auth: Object missing required field `env`"),
        (SIMPLE + '[auth]\nenv = "BOT_NOT_SET"', "BOT_NOT_SET is not set"),
        (SIMPLE + '[blocked]\nwhen = [{path = "x"}]', "blocked.when[0]: needs `equals` or `contains`"),
        (SIMPLE + '[blocked]\nwhen = [{path = "x y", equals = 1}]', "blocked.when[0].path: "),
        (SIMPLE + '[steps]\neach = "["', "steps.each: "),
        ('method = "GET"\n' + SIMPLE, "body: a GET has none"),
        ("url = ", "is no TOML"),
        ("\x00", "is no TOML"),
        (SIMPLE.replace("URL", "ftp://x"), "is no address"),
        (SIMPLE.replace("URL", "http://u:p@h"), "credentials go into an environment variable"),
    ],
)
def test_a_bad_description_is_one_line_that_names_the_key(tmp_path: Path, toml: str, words: str) -> None:
    path = tmp_path / "bot.toml"
    path.write_text(toml.replace("URL", "http://h"))
    with pytest.raises(TargetError) as caught:
        open_target(str(path))
    assert caught.value.fault is Fault.SETUP
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_description_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="No such file"):
        open_target(str(tmp_path / "no.toml"))
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TargetError, match="is no TOML"):
        open_target(str(tmp_path / "bytes.toml"))


def test_abilities_follow_the_template(tmp_path: Path) -> None:
    def abilities(body: str, more: str = "") -> tuple[bool, ...]:
        path = tmp_path / "bot.toml"
        path.write_text(f'url = "http://h/"\nbody = {{{body}}}\nanswer = {{text = "x"}}\n{more}')
        found = open_target(str(path)).abilities
        return found.system, found.turns, found.stateful, found.images

    assert abilities('q = "{{prompt}}"') == (False, False, False, False)
    assert abilities('q = "{{messages}}", i = "{{images}}"') == (True, True, False, True)
    assert abilities('q = "{{prompt}}"', 'session = {kind = "ours"}') == (False, True, True, False)


# Paths


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b", [1]),
        ("$.a.b", [1]),
        ("list[0].x", ["p"]),
        ("list[*].x", ["p", "q"]),
        ("list[9].x", []),
        ('["odd key"]', [2]),
        ("list.x", []),
        ("a.b.c", []),
        ("no", []),
        ("[0]", []),
    ],
)
def test_paths(path: str, found: list[Any]) -> None:
    assert JsonPath(path).find({"a": {"b": 1}, "odd key": 2, "list": [{"x": "p"}, {"x": "q"}]}) == found


def test_the_empty_path_is_everything() -> None:
    assert JsonPath("").find("x") == ["x"]


def test_wildcards_do_not_multiply_without_bound() -> None:
    value: Any = ["x"] * 100
    for _ in range(5):
        value = [value] * 100
    assert len(JsonPath("[*][*][*][*][*][*]").find(value)) == 10_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda s: st.lists(s, max_size=3) | st.dictionaries(st.text(max_size=3), s, max_size=3),
)


@given(st.text(max_size=30) | st.from_regex(r"(\.?[a-z]{1,3}|\[[0-9*]\])*", fullmatch=True), JSON)
def test_any_path_is_read_or_refused_and_finds_without_error(path: str, value: Any) -> None:
    try:
        read = JsonPath(path)
    except BadPath:
        return
    assert isinstance(read.find(value), list)
