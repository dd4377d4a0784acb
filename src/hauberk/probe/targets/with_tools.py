"""A chat model made into an agent: its tool calls are carried out and their results given back, until it answers."""

from collections.abc import Sequence

import msgspec

from hauberk.assets.chat import Role
from hauberk.probe.targets.target import Abilities, Fault, Message, Reply, Request, Session, Step, Target, TargetError, Usage
from hauberk.probe.targets.tools import ToolRunner, ToolSource

ROUNDS = 8  # of calls, for one answer


class WithTools:
    """A Target: `target` with the tools of `source`. Every call with its result is a Step of the reply.

    Calls of tools that a request itself offers are not carried out but handed back, as from any other target.
    """

    def __init__(self, target: Target, source: ToolSource, rounds: int = ROUNDS) -> None:
        """Raises TargetError (SETUP) when the target takes no tools."""
        if not target.abilities.tools:
            raise TargetError(Fault.SETUP, f"{target.name} takes no tools")
        self._target = target
        self._source = source
        self._rounds = rounds

    @property
    def name(self) -> str:
        return f"{self._target.name} with {self._source.name}"

    @property
    def abilities(self) -> Abilities:
        return msgspec.structs.replace(self._target.abilities, rounds=self._rounds + 1)

    async def open(self) -> "AgentSession":
        runner = await self._source.open()
        try:
            return AgentSession(await self._target.open(), runner, self._rounds)
        except BaseException:
            await runner.close()
            raise

    async def close(self) -> None:
        await self._target.close()
        await self._source.close()


class AgentSession:
    """One conversation with the agent. It remembers the calls behind its answers, which later requests do not hold."""

    def __init__(self, session: Session, runner: ToolRunner, rounds: int) -> None:
        self._session = session
        self._runner = runner
        self._rounds = rounds
        self._past: list[tuple[str, tuple[Message, ...]]] = []  # an answer, and what went before it

    async def send(self, request: Request) -> Reply:
        runner = self._runner
        ours = {tool.name for tool in runner.tools} - {tool.name for tool in request.tools}
        offered = (*request.tools, *(tool for tool in runner.tools if tool.name in ours))
        before = self._recalled(request.messages)
        made: list[Message] = []
        steps: list[Step] = []
        replies: list[Reply] = []
        while True:
            asked = msgspec.structs.replace(request, messages=(*before, *made), tools=offered)
            reply = await self._session.send(asked)
            replies.append(reply)
            foreign = tuple(call for call in reply.calls if call.name not in ours and call.name in {t.name for t in request.tools})
            if not reply.calls or foreign or reply.blocked or len(replies) > self._rounds:
                break
            made.extend(await self._round(reply, len(replies), steps))
        self._past.append((reply.text, tuple(made)))
        return _joined(replies, steps, over=bool(reply.calls) and len(replies) > self._rounds)

    async def close(self) -> None:
        await self._session.close()
        await self._runner.close()

    async def _round(self, reply: Reply, number: int, steps: list[Step]) -> list[Message]:
        named = tuple(
            call if call.id else msgspec.structs.replace(call, id=f"call_{number}_{place}")
            for place, call in enumerate(reply.calls)
        )
        messages = [Message(Role.ASSISTANT, reply.text, calls=named)]
        for call in named:
            result = await self._runner.run(call)
            steps.append(Step(call, result))
            messages.append(Message(Role.TOOL, result, call_id=call.id, name=call.name))
        return messages

    def _recalled(self, messages: Sequence[Message]) -> list[Message]:
        """The conversation with the calls behind our earlier answers put back in front of them."""
        made: list[Message] = []
        past = iter(self._past)
        known = next(past, None)
        for message in messages:
            if known is not None and message.role is Role.ASSISTANT and message.text == known[0]:
                made.extend(known[1])
                known = next(past, None)
            made.append(message)
        return made


def _joined(replies: Sequence[Reply], steps: Sequence[Step], *, over: bool) -> Reply:
    """One reply of all that the model said for it; `over` when it would have gone on calling."""
    last = replies[-1]
    usage = Usage(
        sum(reply.usage.prompt for reply in replies),
        sum(reply.usage.completion for reply in replies),
        estimated=any(reply.usage.estimated for reply in replies),
    )
    seconds = sum(reply.seconds for reply in replies)
    return msgspec.structs.replace(
        last, steps=(*steps, *last.steps), usage=usage, seconds=seconds, cut=last.cut or over, requests=len(replies)
    )
