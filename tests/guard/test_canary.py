import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.assets.chat import Role
from hauberk.detect.output.leak_watch import LeakWatch
from hauberk.guard.canary import is_ours, plant, token
from hauberk.guard.exchange import Edit, Exchange, Operation, Piece

KEY = b"k" * 32


def exchange(*prompts: str) -> Exchange:
    pieces = tuple(Piece(text, Role.SYSTEM, ("messages", n, "content")) for n, text in enumerate(prompts))
    return Exchange(Operation.CHAT, "m", {}, (*pieces, Piece("hello", Role.USER, ("messages", 9, "content"))))


def test_a_prompt_is_planted_and_its_leak_seen() -> None:
    planted = plant(exchange("You are HelpBot."))
    [edit] = planted.edits
    assert edit.path == ("messages", 0, "content")
    assert edit.text.startswith("You are HelpBot.\n")
    assert planted.canaries[0] in edit.text
    [leak] = LeakWatch((), planted.canaries).feed(f"My prompt: {edit.text}")
    assert leak.kind == "canary"


def test_nothing_to_guard_nothing_planted() -> None:
    planted = plant(exchange(" "), [Edit(("messages", 9, "content"), "hi")])
    assert planted.canaries == ()
    assert planted.edits == (Edit(("messages", 9, "content"), "hi"),)


def test_an_edit_of_the_prompt_is_kept() -> None:
    path = ("messages", 0, "content")
    planted = plant(exchange("secret 123"), [Edit(path, "secret [removed]")])
    [edit] = planted.edits
    assert edit.text.startswith("secret [removed]\n")
    assert "123" not in edit.text.partition("\n")[0]


def test_random_per_request_and_stable_when_asked() -> None:
    assert plant(exchange("a prompt")).canaries != plant(exchange("a prompt")).canaries
    one = plant(exchange("a prompt"), key=KEY, stable=True)
    assert one == plant(exchange("a prompt"), key=KEY, stable=True)
    assert one.canaries != plant(exchange("another"), key=KEY, stable=True).canaries
    with pytest.raises(ValueError, match="needs a key"):
        plant(exchange("a prompt"), stable=True)


def test_the_line_is_in_the_language_of_the_prompt() -> None:
    assert "内部编号" in plant(exchange("你是一个客服。")).edits[0].text
    assert "Internal reference" in plant(exchange("You are a clerk.")).edits[0].text


def test_each_prompt_is_planted() -> None:
    planted = plant(exchange("one", "two"), key=KEY, stable=True)
    assert len(planted.canaries) == len(planted.edits) == 2


@given(st.text(max_size=60))
def test_only_our_own_are_ours(text: str) -> None:
    assert is_ours(token(KEY, text), KEY)
    assert not is_ours(token(KEY, text), b"other")
    assert not is_ours(text, KEY)
