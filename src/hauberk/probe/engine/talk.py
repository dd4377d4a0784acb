"""What an attack works with: its requests are recorded, bounded and counted, and those of an earlier sitting replayed."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from random import Random

import msgspec

from hauberk.assets.chat import ToolSpec
from hauberk.probe.attacks.attack import NoHelp
from hauberk.probe.engine.caller import Caller, Place
from hauberk.probe.engine.halt import Halt
from hauberk.probe.engine.log import CaseLog, Known
from hauberk.probe.engine.plan import Planned
from hauberk.probe.engine.reading import LOST
from hauberk.probe.engine.record import ATTACKER, JUDGE, TARGET
from hauberk.probe.engine.settings import Sampling
from hauberk.probe.judges.judge import Judgement
from hauberk.probe.targets.target import Abilities, Exchange, Fault, Message, Reply, Request, Session, Target, TargetError

Judging = Callable[[tuple[Exchange, ...], int], Awaitable[Judgement]]
"""The word of the run's judges on one exchange of a transcript."""


OPINION = 16
"""Tokens of a judging model's answer: one letter is asked for."""


class Astray(Exception):
    """The case cannot go on from what is recorded of it. One line."""


class End(msgspec.Struct, frozen=True):
    """One side of the talk: whom, and how requests get there."""

    target: Target
    caller: Caller


class CaseTalk:
    """The Talk of one case."""

    def __init__(
        self,
        planned: Planned,
        log: CaseLog,
        sampling: Sampling,
        halt: Halt,
        judging: Judging,
        target: End,
        attacker: End | None,
        judge: End | None = None,
    ) -> None:
        self.rng = Random(planned.case.id)  # noqa: S311 - the same way again, not secrecy
        self.transcript: list[Exchange] = []
        self._planned, self._log, self._sampling, self._halt, self._judging = planned, log, sampling, halt, judging
        self._target, self._attacker, self._judge = target, attacker, judge
        self._session: Session | None = None
        self._replayed = 0  # requests of the present session that an earlier sitting sent
        self._advice = self._opinions = 0
        self._asked: dict[str, tuple[Message, ...]] = {}

    @property
    def abilities(self) -> Abilities:
        return self._target.target.abilities

    async def ask(self, messages: Sequence[Message], tools: Sequence[ToolSpec] = (), max_tokens: int | None = None) -> Reply:
        """Sends to the target, or finds the recorded reply. Raises TargetError."""
        n, most = len(self.transcript), max(1, self._planned.attack.cost.requests)
        if n >= most:
            raise TargetError(Fault.REJECTED, f"the attack wants more than its {most} requests")
        request = self._request(messages, tools, max_tokens, self._sampling.temperature)
        try:
            reply = await self._reply(TARGET, n, request, self._target, self._opened, digest(request))
        except TargetError as error:
            self.transcript.append(Exchange(request, fault=error.fault.value, note=str(error)))
            raise
        self.transcript.append(Exchange(request, reply))
        return reply

    async def advise(self, messages: Sequence[Message], max_tokens: int = 512) -> str:
        """Asks the attacker model. Raises NoHelp."""
        if self._attacker is None:
            raise NoHelp("it needs an attacker model; name one with --attacker")
        n, most = self._advice, self._planned.attack.cost.advice
        if n >= most:
            raise NoHelp(f"it wants more than its {most} requests to the attacker model")
        self._advice += 1
        request = self._request(messages, (), max_tokens, 1.0)
        try:
            return (await self._aside(ATTACKER, n, request, self._attacker, digest(request))).text
        except TargetError as error:
            raise NoHelp(f"the attacker model gave no answer: {error}") from error

    async def second_opinion(self, messages: Sequence[Message]) -> Reply:
        """Asks the judging model. Raises TargetError."""
        assert self._judge is not None
        n = self._opinions
        self._opinions += 1
        # Its question holds random marks, new each time, so the number of the question names it.
        return await self._aside(JUDGE, n, Request(tuple(messages), max_tokens=OPINION), self._judge, f"opinion-{n}")

    async def _aside(self, who: str, n: int, request: Request, end: End, key: str) -> Reply:
        """One request to a model beside the target, in a session of its own. Raises TargetError."""
        session: Session | None = None

        async def opened() -> Session:
            nonlocal session
            session = session or await end.target.open()
            return session

        try:
            return await self._reply(who, n, request, end, opened, key)
        finally:
            if session is not None:
                await session.close()

    async def score(self, reply: Reply) -> float:
        """How far `reply` reaches the goal, by the run's judges."""
        at = next(n for n in range(len(self.transcript) - 1, -1, -1) if self.transcript[n].reply is reply)
        return (await self._judging(tuple(self.transcript), at)).score

    async def restart(self) -> None:
        """The next request opens a new session."""
        session, self._session, self._replayed = self._session, None, 0
        if session is not None:
            await session.close()

    async def close(self) -> None:
        """Ends the conversation."""
        await self.restart()

    def _request(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], max_tokens: int | None, temperature: float
    ) -> Request:
        # At temperature 0 a seed decides nothing, and some APIs refuse the parameter.
        seed = int(self._planned.case.id[:7], 16) if temperature else None
        return Request(tuple(messages), tuple(tools), max_tokens or self._sampling.max_tokens, temperature, seed)

    async def _reply(
        self, who: str, n: int, request: Request, end: End, session: Callable[[], Awaitable[Session]], key: str
    ) -> Reply:
        known = self._log.known.get((who, n))
        before, self._asked[who] = self._asked.get(who, ()), request.messages
        if known is not None:
            if known.key and known.key != key:
                raise Astray("the attack took another way than recorded; another version of Hauberk sent the rest")
            if known.settled:
                return self._recorded(who, known)
            if known.pending:
                raise Astray(LOST)
        if who == TARGET and self._replayed and self.abilities.stateful:
            raise Astray("the target keeps the conversation itself, and lost it when the run was cut; --resend begins it anew")
        case = self._planned.case.id
        return await end.caller.call(Place(self._planned.index, case, n, key, before), self._log, session, request)

    def _recorded(self, who: str, known: Known) -> Reply:
        self._replayed += who == TARGET
        if known.reply is None:
            raise TargetError(Fault(known.fault), known.note)
        return known.reply

    async def _opened(self) -> Session:
        if self._session is None:
            self._session = await self._target.target.open()
        return self._session


_encode = msgspec.json.Encoder(order="deterministic").encode


def digest(request: Request) -> str:
    """Names a request in the journal."""
    try:
        data = _encode(request)
    except UnicodeEncodeError:
        data = repr(request).encode("utf-8", "backslashreplace")
    return hashlib.blake2b(data, digest_size=8).hexdigest()
