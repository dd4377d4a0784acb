"""Runner: plays the cases of a plan, so many at a time, and records how each of them ended."""

import asyncio
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random
from typing import Protocol

import msgspec

from hauberk import __version__
from hauberk.probe.attacks.attack import NoHelp
from hauberk.probe.case import Case
from hauberk.probe.engine.budget import Budget, Spent
from hauberk.probe.engine.caller import Caller
from hauberk.probe.engine.clock import utc
from hauberk.probe.engine.counts import Counts
from hauberk.probe.engine.errors import Stop
from hauberk.probe.engine.folder import RunFolder
from hauberk.probe.engine.halt import Halt
from hauberk.probe.engine.journal import Journal
from hauberk.probe.engine.log import CaseLog
from hauberk.probe.engine.plan import Planned
from hauberk.probe.engine.reading import LOST, State
from hauberk.probe.engine.record import ATTACKER, JUDGE, TARGET, Again, Begin, Ended, Stopped
from hauberk.probe.engine.settings import RunSettings
from hauberk.probe.engine.talk import Astray, CaseTalk, End
from hauberk.probe.judges.judge import Accuracy, Judgement
from hauberk.probe.judges.refine import Refining, refine
from hauberk.probe.outcome import Outcome
from hauberk.probe.result import Result
from hauberk.probe.targets.target import Exchange, Target, TargetError

AT_ONCE = 2
"""Cases under way for each request that may be in flight."""
FEWEST_DRY = 20
"""Cases in a row without an answer from which the target counts as down."""


class Judging(Protocol):
    """The judges of a run."""

    def judge(self, case: Case, prompt: str, transcript: tuple[Exchange, ...], at: int) -> Judgement: ...
    def accuracy(self) -> tuple[Accuracy, ...]: ...


class Parts(msgspec.Struct, frozen=True):
    """What a run is put together from."""

    target: Target
    judges: Judging
    attacker: Target | None = None
    second: Target | None = None  # a model that is asked where the judges are unsure


class Runner:
    """One sitting of a run. Made and used inside one event loop."""

    def __init__(
        self, folder: RunFolder, plan: Iterable[Planned], parts: Parts, settings: RunSettings, state: State, *, resend: bool = False
    ) -> None:
        self.counts = Counts(folder.manifest.cases, sum(1 for times in state.ends if times))
        self.halt = Halt()
        self.budget = Budget(settings.limits, _spent(state, settings))
        self._state, self._plan, self._parts, self._settings, self._resend = state, plan, parts, settings, resend
        self._journal = Journal(folder.journal)
        rng = Random(settings.choice.seed)  # noqa: S311 - jitter
        pacing = settings.pacing
        rounds = parts.target.abilities.rounds
        caller = Caller(TARGET, pacing, self.budget, settings.prices, self._journal, self.halt, rng, rounds=rounds)
        self.target = End(parts.target, caller)
        self.attacker = None
        if parts.attacker is not None:
            helper = Caller(ATTACKER, pacing, self.budget, settings.attacker_prices, self._journal, self.halt, rng)
            self.attacker = End(parts.attacker, helper)
        self.second = None
        if parts.second is not None:
            other = Caller(JUDGE, pacing, self.budget, settings.judge_prices, self._journal, self.halt, rng)
            self.second = End(parts.second, other)
        self._judge = ThreadPoolExecutor(1, "probe-judge")
        self._dry = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Plays everything that has not ended. `halt.why` says afterwards why it stopped early."""
        self._journal.put(Begin(utc(), __version__))
        cases = self._to_do()
        clock = asyncio.create_task(self._timed())
        try:
            # More cases than requests may be under way: while some are judged, others use their places.
            workers = range(AT_ONCE * max(1, self._settings.pacing.concurrency))
            self._tasks = [asyncio.create_task(self._work(cases)) for _ in workers]
            await asyncio.gather(*self._tasks)
        finally:
            for task in (clock, *self._tasks):
                task.cancel()
            await asyncio.gather(clock, *self._tasks, return_exceptions=True)
            self._journal.put(Stopped(utc(), self.halt.why or ("" if self._complete else "ended at once")))
            await asyncio.to_thread(self._journal.close)
            self._judge.shutdown(wait=False, cancel_futures=True)
            await self._parts.target.close()
            for beside in (self._parts.attacker, self._parts.second):
                if beside is not None:
                    await beside.close()

    def interrupt(self) -> None:
        """Drains at the first call, ends at once at the second."""
        if self.halt.why:
            for task in self._tasks:
                task.cancel()
        self.halt.stop("interrupted")

    @property
    def journal_failure(self) -> str:
        """Why the journal does not hold everything, "" when it does."""
        return self._journal.failed

    @property
    def _complete(self) -> bool:
        return self.counts.ended >= self.counts.planned

    def _to_do(self) -> Iterator[Planned]:
        for planned in self._plan:
            if not self._state.ends[planned.index]:
                yield planned

    async def _timed(self) -> None:
        """Ends the run when its time is over, also while nothing is sent: all may wait for what `Retry-After` said."""
        left = self.budget.seconds_left
        if left < float("inf"):
            await asyncio.sleep(max(0.0, left))
            self.halt.stop(self.budget.time_is_over)

    async def _work(self, cases: Iterator[Planned]) -> None:
        for planned in cases:
            if self.halt.why:
                return
            await self._case(planned)

    async def _case(self, planned: Planned) -> None:
        log = self._state.open.pop(planned.index, None) or CaseLog()
        try:
            log = self._taken_up(planned, log)
        except Astray as error:
            self._end(planned, Result(planned.case, Outcome.ERROR, note=str(error)), [])
            return
        judging = partial(self._judged, planned)
        talk = CaseTalk(planned, log, self._settings.sampling, self.halt, judging, self.target, self.attacker, self.second)
        try:
            result = await self._played(planned, talk)
        except Stop:
            return  # it has not ended: a later sitting goes on with it
        finally:
            await talk.close()
        if result is not None:
            self._end(planned, _with_figures(result, talk.transcript, log), talk.transcript)

    async def _played(self, planned: Planned, talk: CaseTalk) -> Result | None:
        """The result; None when the case has not ended because the whole run cannot go on."""
        case = planned.case
        try:
            at = await planned.attack.run(planned.seed, talk)
            return await self._result(planned, talk, at)
        except TargetError as error:
            return None if error.fault.final else Result(case, Outcome.ERROR, note=f"{error.fault}: {error}"[:500])
        except (NoHelp, Astray) as error:
            return Result(case, Outcome.ERROR, note=str(error)[:500])
        except Stop:
            raise
        except Exception as error:  # noqa: BLE001 - one attack, target or judge that breaks must not end the others' run
            return Result(case, Outcome.ERROR, note=f"{planned.attack.name} broke: {type(error).__name__}: {error}"[:500])

    async def _result(self, planned: Planned, talk: CaseTalk, at: int) -> Result:
        transcript = tuple(talk.transcript)
        number = at if at >= 0 else len(transcript) + at
        if not 0 <= number < len(transcript) or transcript[number].reply is None:
            return Result(planned.case, Outcome.ERROR, note="the attack left no answer to judge")
        word = await self._judged(planned, transcript, number)
        reply = transcript[number].reply
        if self._parts.second is not None and reply is not None:
            how = Refining(self._parts.second.name)
            word = await refine(planned.case, planned.seed.text, reply.text, word, talk.second_opinion, how)
        return Result(planned.case, word.outcome, word, at=number)

    async def _judged(self, planned: Planned, transcript: tuple[Exchange, ...], at: int) -> Judgement:
        judge = partial(self._parts.judges.judge, planned.case, planned.seed.text, transcript, at)
        return await asyncio.get_running_loop().run_in_executor(self._judge, judge)

    def _taken_up(self, planned: Planned, log: CaseLog) -> CaseLog:
        """What of an earlier sitting counts. Raises Astray when the case cannot go on without asking twice."""
        if log.lost and not self._resend:
            raise Astray(LOST)
        anew = log.damaged or (self._parts.target.abilities.stateful and log.begun)
        if self._resend and log.known and anew:
            self._journal.put(Again(planned.index, planned.case.id))
            return CaseLog()
        if self._resend:
            for one in log.known.values():
                one.pending = one.last = False
        return log

    def _end(self, planned: Planned, result: Result, transcript: list[Exchange]) -> None:
        self._journal.put(Ended(planned.index, result))
        self.counts.add(result)
        self._dry = 0 if result.outcome.answered or not transcript else self._dry + 1
        if self._dry >= max(FEWEST_DRY, 2 * self._settings.pacing.concurrency):
            self.halt.stop(f"the target is down: {self._dry} cases in a row got no answer, the last: {result.note}")


def _with_figures(result: Result, transcript: list[Exchange], log: CaseLog) -> Result:
    replies = [exchange.reply for exchange in transcript if exchange.reply is not None]
    return msgspec.structs.replace(
        result,
        requests=sum(one.attempts for (who, _), one in log.known.items() if who == TARGET)
        + sum(reply.requests - 1 for reply in replies),
        prompt_tokens=sum(reply.usage.prompt for reply in replies),
        completion_tokens=sum(reply.usage.completion for reply in replies),
        seconds=round(sum(reply.seconds for reply in replies), 4),
    )


def _spent(state: State, settings: RunSettings) -> Spent:
    """What earlier sittings took."""
    spent = Spent(requests=state.sent)
    for who, prices in ((TARGET, settings.prices), (ATTACKER, settings.attacker_prices), (JUDGE, settings.judge_prices)):
        prompt, completion = state.usage.get(who, (0, 0))
        spent.tokens += prompt + completion
        spent.cost += prices.of(prompt, completion)
    return spent
