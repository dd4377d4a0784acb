"""How cases end, and what is taken up after a cut."""

import asyncio
import contextlib
import io
import os
import time
from pathlib import Path

import pytest
from engine_fakes import Scripted, Turns, again, begun, harms, pairs, plan_of, played, settings

from hauberk.assets.chat import Role
from hauberk.probe.attacks.attack import Cost, Talk
from hauberk.probe.engine import EngineError, results, transcript
from hauberk.probe.engine.meter import Meter
from hauberk.probe.engine.reading import records
from hauberk.probe.engine.record import Failed, Got, encoded
from hauberk.probe.engine.settings import Limits
from hauberk.probe.goal import Harm
from hauberk.probe.outcome import Outcome
from hauberk.probe.seeds.seed import Seed
from hauberk.probe.targets.target import Abilities, Fault, Message, Reply, Request, TargetError, Usage


def ends(path: str) -> list[Outcome]:
    return [one.outcome for one in results(path)]


def test_every_case_ends_once_with_its_figures(tmp_path: Path) -> None:
    target = Scripted(lambda _: Reply("yes of course", usage=Usage(7, 3), seconds=0.5))
    folder, ending, _ = played(tmp_path, harms(9), [Turns(3)], target, settings(trials=2))
    found = list(results(folder.path))
    assert not ending.why
    assert len({one.case.id for one in found}) == 18
    assert {(one.outcome, one.requests, one.prompt_tokens, one.completion_tokens, one.at) for one in found} == {
        (Outcome.COMPLIED, 3, 21, 9, 2)
    }
    assert target.closed >= 18


class FewSessions(Scripted):
    """A target with only so many sessions, such as a program that runs as long as a conversation lasts."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.free = asyncio.Semaphore(most)

    async def open(self) -> "Scripted":
        await self.free.acquire()
        return Session(self)

    async def close(self) -> None:
        return


class Session(Scripted):
    def __init__(self, whole: FewSessions) -> None:
        super().__init__()
        self.whole, self.asked = whole, whole.asked

    async def close(self) -> None:
        self.whole.free.release()


def test_who_waits_for_a_session_does_not_keep_others_from_their_next_turn(tmp_path: Path) -> None:
    """Places were taken by cases that waited for sessions of cases that waited for places: the run stood still."""
    limits = Limits(seconds=30)
    _, ending, _ = played(tmp_path, harms(6), [Turns(3)], FewSessions(2), settings(concurrency=2, limits=limits))
    assert not ending.why


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_progress_stays_on_one_line_and_counts_more_than_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    _, _, [runner] = played(tmp_path, harms(3), [Turns()], Scripted(), settings())
    runner.counts.planned, runner.counts.started = 10_000, time.monotonic() - 3_600
    screen = Screen()
    meter = Meter(runner, screen)
    assert "about 3332:20:00 left" in meter.line()
    with contextlib.suppress(TimeoutError):
        asyncio.run(asyncio.wait_for(meter.run(), 0.5))
    lines = screen.getvalue().split("\r\x1b[K")
    assert any(lines)
    assert max(map(len, lines)) < columns


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_case_of_several_turns_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    """The recorded replies are played to the attack, which takes the same way: nothing is asked twice."""
    target, made = Scripted(lambda request: Reply(f"no {len(request.messages)}")), settings(concurrency=1)
    seeds, attack = harms(3), Turns(4)
    folder, _, _ = played(tmp_path, seeds, [attack], target, settings(concurrency=1, limits=Limits(requests=6)))
    assert ends(folder.path).count(Outcome.NOT_RUN) == 2
    before = len(target.asked)
    ending, _ = again(folder, plan_of(seeds, [attack], made), target, made)
    assert not ending.why
    assert ends(folder.path) == [Outcome.REFUSED] * 3
    assert len(target.asked) == len(set(target.texts())) == 12
    third = target.asked[before]
    assert len(third.messages) == 5  # two turns with their answers, and the third question
    whole = Scripted(lambda request: Reply(f"no {len(request.messages)}"))
    other, _, _ = played(tmp_path / "whole", seeds, [attack], whole, made)
    assert sorted(whole.texts()) == sorted(target.texts())
    case = next(results(folder.path)).case.id
    assert [one.request for one in transcript(folder.path, case)] == [one.request for one in transcript(other.path, case)]


def test_an_answer_lost_in_the_cut_is_an_error_and_asked_again_only_on_request(tmp_path: Path) -> None:
    target, made = Scripted(), settings(concurrency=1)
    seeds, attack = harms(3), Turns(2)
    folder, _, _ = played(tmp_path, seeds, [attack], target, made)
    kept = list(records(folder.path))
    cut = next(n for n, one in enumerate(kept) if isinstance(one, Got) and one.i == 1 and one.n == 1)
    with open(folder.journal, "wb") as file:
        file.write(b"".join(encoded(one) for one in kept[:cut]))
    assert [one.note for one in results(folder.path)] == ["", "sent, answer lost", "not sent: the run was cut; --resume goes on"]
    target.asked.clear()
    plan = plan_of(seeds, [attack], made)
    ending, _ = again(folder, plan, target, made)
    assert "1 cases were sent when the run was cut" in ending.notices[0]
    assert "--resend" in ending.notices[0]
    assert ends(folder.path) == [Outcome.REFUSED, Outcome.ERROR, Outcome.REFUSED]
    assert len(target.asked) == 2
    target.asked.clear()
    again(folder, plan, target, made, resend=True)
    assert len(target.asked) == 1  # the turn whose answer was lost; the one before it was on record
    assert ends(folder.path) == [Outcome.REFUSED] * 3


def test_a_conversation_that_the_target_keeps_cannot_be_gone_on_with(tmp_path: Path) -> None:
    abilities = Abilities(stateful=True)
    seeds, attack, made = harms(1), Turns(3), settings(concurrency=1)
    folder, _, _ = played(tmp_path, seeds, [attack], Scripted(), settings(concurrency=1, limits=Limits(requests=2)))
    target, plan = Scripted(abilities=abilities), plan_of(seeds, [attack], made)
    again(folder, plan, target, made)
    (result,) = results(folder.path)
    assert result.outcome is Outcome.ERROR
    assert "keeps the conversation itself" in result.note
    assert not target.asked
    again(folder, plan, target, made, resend=True)
    assert ends(folder.path) == [Outcome.REFUSED]
    assert len(target.asked) == 3
    assert len(transcript(folder.path, result.case.id)) == 3


def test_a_changed_plan_is_refused(tmp_path: Path) -> None:
    made = settings()
    folder, _, _ = played(tmp_path, harms(2), [Turns()], Scripted(), made)
    with pytest.raises(EngineError, match="other than when this run was planned"):
        again(folder, plan_of(harms(3), [Turns()], made), Scripted(), made)


def test_an_attack_that_takes_another_way_than_recorded_is_an_error(tmp_path: Path) -> None:
    class Other(Turns):
        async def run(self, seed: Seed, talk: Talk) -> int:
            await talk.ask([Message(Role.USER, f"something else than {seed.text}")])
            return -1

    seeds, made = harms(1), settings()
    folder, _, _ = played(tmp_path, seeds, [Turns(2)], Scripted(), settings(limits=Limits(requests=1)))
    again(folder, plan_of(seeds, [Other(2)], made), Scripted(), made)
    (result,) = results(folder.path)
    assert "took another way" in result.note


def test_a_damaged_line_is_told_and_its_case_not_asked_again(tmp_path: Path) -> None:
    target, made, seeds = Scripted(), settings(concurrency=1), harms(3)
    folder, _, _ = played(tmp_path, seeds, [Turns()], target, made)
    with open(folder.journal, "rb") as file:
        lines = file.read().splitlines(keepends=True)
    ended = next(n for n, line in enumerate(lines) if line.startswith(b'{"k":"end","i":1'))
    lines[ended] = lines[ended].replace(b"refused", b"complied")
    with open(folder.journal, "wb") as file:
        file.write(b"".join(lines))
    target.asked.clear()
    ending, _ = again(folder, plan_of(seeds, [Turns()], made), target, made)
    assert f"line {ended + 1} is damaged: its checksum is another" in ending.notices[0]
    assert not target.asked
    assert sorted(ends(folder.path)) == [Outcome.ERROR, Outcome.REFUSED, Outcome.REFUSED]


@pytest.mark.parametrize(
    ("fault", "asked"), [(Fault.REJECTED, 1), (Fault.GARBAGE, 2), (Fault.SERVER, 3), (Fault.CONNECT, 3), (Fault.TIMEOUT, 3)]
)
def test_faults_are_retried_as_far_as_that_may_help(tmp_path: Path, fault: Fault, asked: int) -> None:
    target = Scripted(lambda _: TargetError(fault, "no luck"))
    folder, _, _ = played(tmp_path, harms(1), [Turns()], target, settings(tries=3))
    (result,) = results(folder.path)
    assert (result.outcome, result.note, result.requests) == (Outcome.ERROR, f"{fault}: no luck", asked)
    assert [one.last for one in records(folder.path) if isinstance(one, Failed)] == [False] * (asked - 1) + [True]


def test_wrong_credentials_end_the_run_with_one_line_and_lose_no_case(tmp_path: Path) -> None:
    target, made, seeds = Scripted(lambda _: TargetError(Fault.AUTH, "401: wrong key")), settings(), harms(30)
    folder, ending, _ = played(tmp_path, seeds, [Turns()], target, made)
    assert (ending.why, ending.fatal) == ("401: wrong key", True)
    assert len(target.asked) <= made.pacing.concurrency
    assert ends(folder.path) == [Outcome.NOT_RUN] * 30
    good = Scripted()
    again(folder, plan_of(seeds, [Turns()], made), good, made)
    assert ends(folder.path) == [Outcome.REFUSED] * 30


def test_a_target_that_is_down_is_not_asked_to_the_end(tmp_path: Path) -> None:
    target = Scripted(lambda _: TargetError(Fault.REJECTED, "gone"))
    folder, ending, _ = played(tmp_path, harms(500), [Turns()], target, settings())
    assert "the target is down: 20 cases in a row got no answer" in ending.why
    assert len(target.asked) < 40
    assert len(ends(folder.path)) == 500


def test_a_target_that_hangs_is_given_up_at_the_deadline(tmp_path: Path) -> None:
    folder, _, _ = played(tmp_path, harms(2), [Turns()], Scripted(delay=30), settings(timeout=0.1, tries=1))
    assert {one.note for one in results(folder.path)} == {"timeout: no answer within 0.1 s"}


def test_errors_are_asked_again_with_resend(tmp_path: Path) -> None:
    state = {"down": True}
    target = Scripted(lambda _: TargetError(Fault.REJECTED, "gone") if state["down"] else Reply("no"))
    made, seeds = settings(), harms(5)
    folder, _, _ = played(tmp_path, seeds, [Turns(2)], target, made)
    assert ends(folder.path) == [Outcome.ERROR] * 5
    state["down"] = False
    plan = plan_of(seeds, [Turns(2)], made)
    again(folder, plan, target, made)
    assert ends(folder.path) == [Outcome.ERROR] * 5
    again(folder, plan, target, made, resend=True)
    assert ends(folder.path) == [Outcome.REFUSED] * 5


def test_an_attack_that_breaks_ends_its_case_only(tmp_path: Path) -> None:
    class Broken(Turns):
        async def run(self, seed: Seed, talk: Talk) -> int:
            if seed.id == "s:1":
                raise KeyError("oops")
            return await super().run(seed, talk)

    folder, ending, _ = played(tmp_path, harms(3), [Broken(name="broken")], Scripted(), settings())
    assert not ending.why
    assert sorted(one.note for one in results(folder.path)) == ["", "", "broken broke: KeyError: 'oops'"]


def test_an_attack_cannot_ask_more_than_its_cost(tmp_path: Path) -> None:
    class Greedy(Turns):
        def __init__(self) -> None:
            super().__init__(5, "greedy")
            self.cost = Cost(requests=2)

    target = Scripted()
    folder, _, _ = played(tmp_path, harms(1), [Greedy()], target, settings())
    (result,) = results(folder.path)
    assert "more than its 2 requests" in result.note
    assert len(target.asked) == 2


class Advised(Turns):
    """Asks the attacker model what to say."""

    def __init__(self) -> None:
        super().__init__(2, "advised", advice=1)
        self.cost = Cost(requests=2, advice=1)

    async def run(self, seed: Seed, talk: Talk) -> int:
        advice = await talk.advise([Message(Role.USER, f"how to ask {seed.text}")])
        reply = await talk.ask([Message(Role.USER, advice)])
        assert await talk.score(reply) == 1.0
        await talk.restart()
        await talk.ask([Message(Role.USER, advice + " again")])
        return 0


def test_the_attacker_model_is_journalled_and_replayed(tmp_path: Path) -> None:
    target, helper = Scripted(lambda _: Reply("yes")), Scripted(lambda r: Reply(f"say it so: {r.messages[0].text}"))
    seeds, made = harms(2), settings(concurrency=1)
    folder, _, _ = played(tmp_path, seeds, [Advised()], target, settings(concurrency=1, limits=Limits(requests=1)), helper)
    again(folder, plan_of(seeds, [Advised()], made, attacker=helper.name), target, made, attacker=helper)
    found = list(results(folder.path))
    assert [(one.outcome, one.at, one.requests) for one in found] == [(Outcome.COMPLIED, 0, 2)] * 2
    assert len(helper.asked) == len(set(helper.texts())) == 2
    assert len(transcript(folder.path, found[0].case.id)) == 2


def test_twins_are_run_beside_their_cases(tmp_path: Path) -> None:
    folder, _, _ = played(tmp_path, pairs(4), [Turns()], Scripted(), settings(twins=True))
    found = {one.case.id: one.case for one in results(folder.path)}
    assert len(found) == 8
    harms_ = [case for case in found.values() if isinstance(case.goal, Harm)]
    assert all(found[case.twin].twin_of == case.id for case in harms_)


def test_what_a_request_was_given_as_a_bound_is_kept(tmp_path: Path) -> None:
    bounds: list[tuple[int, float, int | None]] = []

    def answer(request: Request) -> Reply:
        bounds.append((request.max_tokens, request.temperature, request.seed))
        return Reply("no")

    played(tmp_path, harms(1), [Turns()], Scripted(answer), settings(max_tokens=33))
    assert bounds == [(33, 0.0, None)]


def test_usage_is_estimated_where_nobody_counts(tmp_path: Path) -> None:
    folder, _, seen = played(tmp_path, harms(1), [Turns()], Scripted(lambda _: Reply("no, I would rather not")), settings())
    (result,) = results(folder.path)
    assert result.prompt_tokens > 3
    assert result.completion_tokens > 3
    assert seen[0].budget.spent.tokens == result.prompt_tokens + result.completion_tokens


def test_a_run_without_room_for_its_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    made = settings()
    with pytest.raises(EngineError, match="no run can be kept here"):
        begun(tmp_path / "file", plan_of(harms(1), [Turns()], made), made)
    assert os.listdir(tmp_path) == ["file"]
