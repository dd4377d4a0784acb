"""Personal data in the calls of tools, through the inspector: whole answers and streams."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from hauberk.assets.chat import Role, ToolCall, ToolSpec
from hauberk.core import Action
from hauberk.guard.checker import Checker
from hauberk.guard.exchange import Answer, Exchange, Operation, Piece
from hauberk.guard.gateway.hooks import Decision
from hauberk.guard.inspector import PolicyInspector
from hauberk.guard.sessions import Sessions

MAIL = ToolSpec("send_email", "Sends an e-mail.", {"type": "object", "properties": {"to": {"type": "string"}}})
SEARCH = ToolSpec("search_contacts", "Finds a contact.")


@pytest.fixture(scope="module")
def inspector() -> Iterator[PolicyInspector]:
    made = PolicyInspector(Checker())
    made.stream_with(Sessions())
    yield made
    made.close()


def talk(*said: tuple[Role, str]) -> Exchange:
    pieces = tuple(Piece(text, role, ("messages", number, "content")) for number, (role, text) in enumerate(said))
    return Exchange(Operation.CHAT, "m", {}, pieces, tools=(MAIL, SEARCH))


def decided(inspector: PolicyInspector, exchange: Exchange, arguments: dict[str, str], name: str = "send_email") -> Decision:
    text = json.dumps(arguments)
    piece = Piece(text, Role.ASSISTANT, ("choices", 0), ToolCall(name, text))
    return asyncio.run(inspector.answer(exchange, Answer({}, (piece,))))


def test_regression_an_agent_writes_to_the_address_that_its_user_typed(inspector: PolicyInspector) -> None:
    """The default policy masked it: the mail went to `[EMAIL_1]`."""
    exchange = talk((Role.USER, "Write to alice.smith@contoso.com, my number is 138 0013 8000."))
    decision = decided(inspector, exchange, {"to": "alice.smith@contoso.com", "body": "Call 13800138000."})
    assert (decision.action, decision.edits) == (Action.FLAG, ())
    operator = talk((Role.SYSTEM, "Reports go to alice.smith@contoso.com."), (Role.USER, "send the report"))
    assert decided(inspector, operator, {"to": "alice.smith@contoso.com"}).edits == ()


def test_what_the_model_came_up_with_is_masked_beside_what_was_given(inspector: PolicyInspector) -> None:
    exchange = talk((Role.USER, "Write to alice.smith@contoso.com."))
    decision = decided(inspector, exchange, {"to": "alice.smith@contoso.com", "cc": "bob.jones@contoso.com"})
    assert decision.action is Action.REDACT
    (edit,) = decision.edits
    assert json.loads(edit.text) == {"to": "alice.smith@contoso.com", "cc": "[EMAIL_1]"}


def test_what_a_tools_result_brought_waits_for_a_person_before_it_goes_out(inspector: PolicyInspector) -> None:
    exchange = talk((Role.USER, "Send the minutes to everybody."), (Role.TOOL, "Present: alice.smith@contoso.com"))
    assert decided(inspector, exchange, {"to": "alice.smith@contoso.com"}).action is Action.BLOCK  # nobody can be asked here
    assert decided(inspector, exchange, {"q": "alice.smith@contoso.com"}, "search_contacts").action is Action.REDACT


def test_a_key_is_masked_whoever_wrote_it(inspector: PolicyInspector) -> None:
    key = "AKIA" + "Z7QX3NB5TW2KD6MF"
    decision = decided(inspector, talk((Role.USER, f"use {key}")), {"to": key})
    assert decision.action is Action.REDACT
    assert key not in decision.edits[0].text


def test_a_call_that_streams_is_judged_the_same(inspector: PolicyInspector) -> None:
    async def streamed(arguments: str) -> str:
        session = inspector.session(talk((Role.USER, "Write to alice.smith@contoso.com.")))
        out = [await session.push("0/tool/0", "", "send_email")]
        out += [await session.push("0/tool/0", arguments[at : at + 7]) for at in range(0, len(arguments), 7)]
        out.append(await session.end("0/tool/0"))
        return "".join(text for release in out for _, text in release.texts)

    given = json.dumps({"to": "alice.smith@contoso.com"})
    assert asyncio.run(streamed(given)) == given
    assert json.loads(asyncio.run(streamed(given.replace("alice", "bob")))) == {"to": "[EMAIL_1]"}
