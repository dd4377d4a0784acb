"""Python functions as targets."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from stub_api import sent, user

from hauberk.assets.chat import Role
from hauberk.probe.targets import TargetOptions, open_target
from hauberk.probe.targets.target import Fault, Message, Reply, Request, TargetError

FILE = str(Path(__file__).with_name("probed_app.py"))
TALK = Request((Message(Role.USER, "a"), Message(Role.ASSISTANT, "b"), Message(Role.USER, "c")))


def called(function: str, request: Request | None = None, **options: Any) -> Reply:
    return asyncio.run(sent(f"python:{FILE}:{function}", request or user(), **options))


def fault(function: str, text: str = "Hello", **options: Any) -> TargetError:
    with pytest.raises(TargetError) as caught:
        called(function, user(text), **options)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_function_of_the_prompt() -> None:
    reply = called("plain", TALK)
    assert reply.text == "You said c"
    assert reply.usage.estimated


def test_an_async_function() -> None:
    assert called("later").text == "Later Hello"


def test_a_module_by_name() -> None:
    assert asyncio.run(sent("python:probed_app:plain")).text == "You said Hello"


def test_an_object_that_can_be_called() -> None:
    assert called("app").text == "app Hello"


def test_a_function_of_the_messages_gets_the_system_prompt_too() -> None:
    reply = called("whole", TALK, system="kind")
    assert reply.text == "system=kind | user=a | assistant=b | user=c"


def test_a_function_of_the_request() -> None:
    assert called("structured", TALK).steps[0].result == "3"


def test_abilities_follow_the_parameter() -> None:
    def abilities(function: str) -> tuple[bool, bool, bool]:
        found = open_target(f"python:{FILE}:{function}").abilities
        return found.system, found.turns, found.tools

    assert abilities("plain") == (False, False, False)
    assert abilities("whole") == (True, True, False)
    assert abilities("structured") == (True, True, True)


def test_shapes_of_answers() -> None:
    assert called("shapes", user("openai")).text == "like OpenAI"
    assert called("shapes", user("blocked")).blocked == "our own filter"
    steps = called("shapes", user("steps"))
    assert (steps.text, steps.steps[0].result) == ("ok", "paid")
    assert called("shapes", user("filtered")).blocked == "content_filter: no"
    huge = called("shapes", user("huge"), max_bytes=1000)
    assert (len(huge.text), huge.cut) == (1000, True)


@pytest.mark.parametrize(
    ("text", "words"), [("none", "NoneType"), ("number", "int"), ("empty", "no `text`"), ("wrong", "Expected `str`")]
)
def test_shapes_that_are_no_answers(text: str, words: str) -> None:
    error = fault("shapes", text)
    assert error.fault is Fault.GARBAGE
    assert words in str(error)


def test_an_error_that_it_returns() -> None:
    assert "model is gone" in str(fault("shapes", "broken"))


@pytest.mark.parametrize(("function", "words"), [("raises", "ValueError: two lines Hello"), ("leaves", "SystemExit 3")])
def test_code_that_raises_or_leaves(function: str, words: str) -> None:
    error = fault(function)
    assert error.fault is Fault.SERVER
    assert words in str(error)


@pytest.mark.parametrize("function", ["hangs", "waits"])
def test_code_that_hangs(function: str) -> None:
    error = fault(function, timeout=0.2)
    assert error.fault is Fault.TIMEOUT
    assert "0.2 s" in str(error)


def test_a_hanging_function_keeps_its_place_and_no_more_threads_start() -> None:
    async def go() -> None:
        target = open_target(f"python:{FILE}:hangs", TargetOptions(timeout=0.1, concurrency=2))
        session = await target.open()
        results = await asyncio.gather(*(session.send(user()) for _ in range(6)), return_exceptions=True)
        assert all(isinstance(result, TargetError) for result in results)
        await target.close()

    asyncio.run(go())


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("python:", "write python:module:function"),
        ("python:json", "write python:module:function"),
        ("python:no_such_module_x:f", "ModuleNotFoundError"),
        ("python:json:no_such", "json has no no_such"),
        ("python:/no/such.py:f", "there is no file"),
        (f"python:{FILE}:NOT_A_FUNCTION", "is no function"),
        (f"python:{FILE}:App", "is a class"),
        (f"python:{FILE}:two", "one argument"),
        (f"python:{FILE}:none", "one argument"),
    ],
)
def test_bad_places_are_one_clear_line(spec: str, words: str) -> None:
    with pytest.raises(TargetError, match=words) as caught:
        open_target(spec)
    assert caught.value.fault is Fault.SETUP


def test_a_file_that_is_no_python(tmp_path: Path) -> None:
    path = tmp_path / "broken_target.py"
    path.write_text("def f(:\n")
    with pytest.raises(TargetError, match="SyntaxError"):
        open_target(f"python:{path}:f")
    path.write_text("raise SystemExit(1)\n")
    with pytest.raises(TargetError, match="SystemExit"):
        open_target(f"python:{path}:f")
