"""Caller: sends one request after all rules: a place, the budget, the journal, a deadline, retries."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from random import Random

import msgspec

from hauberk.probe.engine import tokens
from hauberk.probe.engine.budget import Budget, Reserved
from hauberk.probe.engine.errors import JournalError, Stop
from hauberk.probe.engine.halt import Halt
from hauberk.probe.engine.journal import Journal
from hauberk.probe.engine.log import CaseLog
from hauberk.probe.engine.pace import Pace
from hauberk.probe.engine.record import ATTACKER, JUDGE, TARGET, Failed, Got, Sent
from hauberk.probe.engine.settings import Pacing, Prices
from hauberk.probe.targets.estimate import estimated_usage
from hauberk.probe.targets.target import Fault, Message, Reply, Request, Session, TargetError, Usage

RATE_LIMITED = 8  # tries of a request that is told to come later
GARBAGE = 2
FEWEST_LATE = 8
"""Time-outs in a row from which a target counts as down: with many tries and a long time-out each, its cases would take hours to
say so."""
_NAMES = {TARGET: "the target", ATTACKER: "the attacker model", JUDGE: "the judging model"}
_LOADED = frozenset({Fault.RATE_LIMIT, Fault.SERVER, Fault.TIMEOUT})
_UNPAID = frozenset({Fault.CONNECT, Fault.RATE_LIMIT, Fault.REJECTED, Fault.AUTH, Fault.SETUP, Fault.SERVER})
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0  # seconds between tries


class Place(msgspec.Struct, frozen=True):
    """Which exchange of which case a request is. `before` are the messages of the request before it."""

    i: int
    case: str
    n: int
    key: str
    before: tuple[Message, ...] = ()


class Caller:
    """Sends requests to one target. Shared by all cases."""

    def __init__(
        self,
        who: str,
        pacing: Pacing,
        budget: Budget,
        prices: Prices,
        journal: Journal,
        halt: Halt,
        rng: Random,
        *,
        rounds: int = 1,
    ) -> None:
        """`rounds`: most requests to the model that one answer takes."""
        self.who, self.pace = who, Pace(pacing.concurrency)
        self._rounds = rounds
        self.sent = 0
        self._late = 0  # tries in a row that had no answer in time
        self._pacing, self._budget, self._prices, self._journal, self._halt, self._rng = pacing, budget, prices, journal, halt, rng
        halt.on_stop(self.pace.open_all)

    async def call(self, place: Place, log: CaseLog, session: Callable[[], Awaitable[Session]], request: Request) -> Reply:
        """The reply, recorded. Raises TargetError after the last try, and Stop."""
        tries = 0
        while True:
            try:
                return await self._once(place, log, session, request)
            except TargetError as error:
                tries += 1
                self._late = self._late + 1 if error.fault is Fault.TIMEOUT else 0
                # A run that ends has no tries left to give: the next sitting goes on with the case.
                last = not error.fault.passing or (tries >= self._tries(error.fault) and not self._halt.why)
                spent = 0 if error.fault in _UNPAID else tokens.prompt_most(request) + request.max_tokens
                self._fail(place, log, error, spent, last=last)
                if error.fault.final:
                    self._halt.stop(str(error), fatal=True)
                if self._late >= max(FEWEST_LATE, self._pacing.concurrency * 3 // 2):
                    self._halt.stop(f"{_NAMES[self.who]} is down: {self._late} requests in a row had no answer in time: {error}")
                if last:
                    raise
                await self._halt.sleep(self._wait(tries, error.retry_after))

    async def _once(self, place: Place, log: CaseLog, session: Callable[[], Awaitable[Session]], request: Request) -> Reply:
        # Before a place is taken: a target may have only so many sessions, and who holds one needs a place for its next turn.
        live = await session()
        started = await self.pace.enter()
        try:
            self._halt.check()
            reply = await self._paid(place, log, live, request)
        except TargetError as error:
            if error.fault in _LOADED:
                self.pace.overloaded(started, error.retry_after)
            raise
        finally:
            self.pace.leave()
        self.pace.went_well()
        self._late = 0
        return reply

    async def _paid(self, place: Place, log: CaseLog, live: Session, request: Request) -> Reply:
        reserved = await self._reserved(request)
        known = log.at(self.who, place.n)
        try:
            await self._journal.commit(_line(place, self.who, known.attempts, request))
        except JournalError as error:
            self._budget.release(reserved)
            self._halt.stop(str(error), fatal=True)
            raise Stop(str(error)) from error
        known.key, known.attempts, known.pending = place.key, known.attempts + 1, True
        self.sent += 1
        usage = requests = None
        try:
            reply = await self._answer(live, request)
            if not (reply.usage.prompt or reply.usage.completion):
                reply = msgspec.structs.replace(reply, usage=estimated_usage(request, reply))
            usage, requests = reply.usage, reply.requests
        except TargetError as error:
            usage = Usage() if error.fault in _UNPAID else None
            raise
        finally:
            self._budget.settle(reserved, usage, requests)
        self._journal.put(Got(place.i, place.case, place.n, reply, self.who))
        known.reply, known.pending = reply, False
        return reply

    async def _reserved(self, request: Request) -> Reserved:
        try:
            rounds, answer = self._rounds, request.max_tokens
            # Each round sends again what the model said in those before it. What tools say counts once it is there.
            bound = rounds * tokens.prompt_most(request) + rounds * (rounds - 1) // 2 * answer
            counted = rounds if self.who == TARGET else 0
            return await self._budget.reserve(bound, rounds * answer, self._prices, requests=counted)
        except Stop as stop:
            self._halt.stop(str(stop))
            raise

    async def _answer(self, live: Session, request: Request) -> Reply:
        bound = self._pacing.timeout
        seconds = min(bound, max(0.001, self._budget.seconds_left))
        began = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                reply = await live.send(request)
        except TimeoutError as error:
            if seconds < bound:
                self._halt.stop(self._budget.time_is_over)
            raise TargetError(Fault.TIMEOUT, f"no answer within {seconds:g} s") from error
        return reply if reply.seconds else msgspec.structs.replace(reply, seconds=round(time.monotonic() - began, 4))

    def _fail(self, place: Place, log: CaseLog, error: TargetError, spent: int, *, last: bool) -> None:
        note = " ".join(str(error).split())[:500]
        self._journal.put(Failed(place.i, place.case, place.n, error.fault.value, note, self.who, last, spent))
        known = log.at(self.who, place.n)
        known.fault, known.note, known.last, known.pending = error.fault.value, note, last, False

    def _tries(self, fault: Fault) -> int:
        if fault is Fault.RATE_LIMIT:
            return max(RATE_LIMITED, self._pacing.tries)
        return min(GARBAGE, self._pacing.tries) if fault is Fault.GARBAGE else self._pacing.tries

    def _wait(self, tries: int, retry_after: float | None) -> float:
        """Seconds until the next try: doubling with jitter, and no sooner than asked."""
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (tries - 1)) * self._rng.uniform(0.5, 1.5)
        return max(wait, min(retry_after or 0.0, 300.0))


def _line(place: Place, who: str, attempt: int, request: Request) -> Sent:
    """The record of a request, without the messages that the one before it had already."""
    shared = 0
    for old, new in zip(place.before, request.messages, strict=False):
        if old != new:
            break
        shared += 1
    kept = msgspec.structs.replace(request, messages=request.messages[shared:]) if shared else request
    return Sent(place.i, place.case, place.n, place.key, kept, who, attempt, shared)
