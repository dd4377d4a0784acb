"""A chat model made into an agent."""

import asyncio
from collections.abc import Callable

import pytest

from hauberk.assets.chat import Role, ToolCall, ToolSpec
from hauberk.probe.targets.target import Abilities, Fault, Message, Reply, Request, Session, TargetError, Usage
from hauberk.probe.targets.tools import ToolRunner
from hauberk.probe.targets.with_tools import WithTools


class Scripted:
    """A model that answers as a function says."""

    name = "model"
    abilities = Abilities(tools=True)

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self.answer = answer
        self.asked: list[Request] = []
        self.closed = 0

    async def open(self) -> Session:
        return self

    async def send(self, request: Request) -> Reply:
        self.asked.append(request)
        return self.answer(request)

    async def close(self) -> None:
        self.closed += 1


class Till:
    """Tools of a shop whose till each conversation has for itself."""

    name = "till"
    tools = (ToolSpec("pay"), ToolSpec("sum"))

    def __init__(self) -> None:
        self.paid = 0
        self.closed = False

    async def open(self) -> ToolRunner:
        return Till()

    async def run(self, call: ToolCall) -> str:
        self.paid += call.name == "pay"
        return str(self.paid)

    async def close(self) -> None:
        self.closed = True


def calling(*names: str, text: str = "") -> Reply:
    return Reply(text, tuple(ToolCall(name, "{}") for name in names), finish="tool_calls", usage=Usage(10, 1), seconds=1.0)


def user(*texts: str) -> Request:
    return Request(tuple(Message(Role.ASSISTANT if place % 2 else Role.USER, text) for place, text in enumerate(texts)))


def ran(model: Scripted, *requests: Request, rounds: int = 8) -> list[Reply]:
    async def go() -> list[Reply]:
        agent = WithTools(model, Till(), rounds)
        session = await agent.open()
        replies = [await session.send(request) for request in requests]
        await session.close()
        await agent.close()
        return replies

    return asyncio.run(go())


def test_calls_are_carried_out_until_there_is_an_answer() -> None:
    script = iter([calling("pay", "sum"), calling("pay"), Reply("Paid.", finish="stop", usage=Usage(20, 2), seconds=2.0)])
    model = Scripted(lambda _: next(script))
    [reply] = ran(model, user("Pay"))
    assert reply.text == "Paid."
    assert [(step.call.name, step.result) for step in reply.steps] == [("pay", "1"), ("sum", "1"), ("pay", "2")]
    assert (reply.usage, reply.seconds, reply.cut, reply.calls, reply.requests) == (Usage(40, 4), 4.0, False, (), 3)
    last = model.asked[-1].messages
    assert [message.role for message in last] == [Role.USER, Role.ASSISTANT, Role.TOOL, Role.TOOL, Role.ASSISTANT, Role.TOOL]
    ids = [message.call_id for message in last if message.role is Role.TOOL]
    assert ids == [call.id for message in last for call in message.calls]
    assert len(set(ids)) == 3


def test_a_model_that_never_stops_is_cut() -> None:
    [reply] = ran(Scripted(lambda _: calling("pay")), user("Pay"), rounds=3)
    assert (len(reply.steps), reply.cut, len(reply.calls), reply.requests) == (3, True, 1, 4)


def test_calls_behind_an_answer_are_remembered_in_the_next_turn() -> None:
    script = iter([calling("pay"), Reply("Paid."), Reply("Bye.")])
    model = Scripted(lambda _: next(script))
    ran(model, user("Pay"), user("Pay", "Paid.", "Thanks"))
    roles = [message.role for message in model.asked[-1].messages]
    assert roles == [Role.USER, Role.ASSISTANT, Role.TOOL, Role.ASSISTANT, Role.USER]


def test_tools_of_the_request_are_handed_back() -> None:
    model = Scripted(lambda _: calling("canary", "pay"))
    request = Request((Message(Role.USER, "x"),), tools=(ToolSpec("canary"),))
    [reply] = ran(model, request)
    assert [call.name for call in reply.calls] == ["canary", "pay"]
    assert reply.steps == ()
    assert [tool.name for tool in model.asked[0].tools] == ["canary", "pay", "sum"]


def test_a_tool_of_the_request_stands_before_ours_of_the_same_name() -> None:
    model = Scripted(lambda _: calling("pay"))
    [reply] = ran(model, Request((Message(Role.USER, "x"),), tools=(ToolSpec("pay", "theirs"),)))
    assert reply.calls
    assert [tool.description for tool in model.asked[0].tools if tool.name == "pay"] == ["theirs"]


def test_a_blocked_answer_ends_it() -> None:
    [reply] = ran(Scripted(lambda _: Reply("", (ToolCall("pay", "{}"),), blocked="policy")), user("Pay"))
    assert (reply.blocked, reply.steps) == ("policy", ())


def test_conversations_do_not_share_their_tools() -> None:
    script = iter([calling("pay"), Reply("a"), calling("pay"), Reply("b")])
    model = Scripted(lambda _: next(script))

    async def go() -> list[str]:
        agent = WithTools(model, Till())
        one, two = await agent.open(), await agent.open()
        return [(await session.send(user("x"))).steps[0].result for session in (one, two)]

    assert asyncio.run(go()) == ["1", "1"]


def test_a_target_without_tools_is_refused() -> None:
    model = Scripted(lambda _: Reply(""))
    model.abilities = Abilities()
    with pytest.raises(TargetError, match="model takes no tools") as caught:
        WithTools(model, Till())
    assert caught.value.fault is Fault.SETUP


def test_tools_are_closed_when_the_model_cannot_be_opened() -> None:
    till = Till()

    class Broken(Scripted):
        async def open(self) -> Session:
            raise TargetError(Fault.SETUP, "no model")

    async def opened() -> ToolRunner:
        return till

    source = Till()
    source.open = opened
    with pytest.raises(TargetError, match="no model"):
        asyncio.run(WithTools(Broken(lambda _: Reply("")), source).open())
    assert till.closed
