import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hauberk.guard.approvals import ApprovalError, ApprovalQueue, Asked, Outcome, SqliteLedger, State, approve, deny, waiting
from hauberk.guard.asking import Desk


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    made = SqliteLedger(str(tmp_path / "approvals.db"))
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def item(number: str, now: float = 1000.0, expiry: float = 120.0) -> Asked:
    return Asked(number, "send_email", "team-a", "tainted", asked=now, expires=now + expiry)


async def first_waiting(ledger: SqliteLedger, clock: Clock) -> Asked:
    for _ in range(2000):
        if found := waiting(ledger, clock.now):
            return found[0]
        await asyncio.sleep(0.005)
    raise AssertionError("nothing waits")


async def ask_until(queue: ApprovalQueue, ledger: SqliteLedger, clock: Clock) -> "tuple[asyncio.Task[Outcome], Asked]":
    task = asyncio.create_task(queue.ask("send_email", "team-a", "tainted argument", ("A title",), "to: e…e"))
    return task, await first_waiting(ledger, clock)


def test_approved(ledger: SqliteLedger, clock: Clock) -> None:
    async def run() -> Outcome:
        queue = ApprovalQueue(ledger, poll=0.005, clock=clock)
        task, asked = await ask_until(queue, ledger, clock)
        assert (asked.who, asked.findings, asked.expires) == ("team-a", ("A title",), clock.now + 120)
        approve(ledger, asked.id, "ann", "known recipient", clock.now)
        return await task

    outcome = asyncio.run(run())
    assert outcome.approved
    assert (outcome.operator, outcome.reason) == ("ann", "known recipient")


def test_denied(ledger: SqliteLedger, clock: Clock) -> None:
    async def run() -> Outcome:
        task, asked = await ask_until(ApprovalQueue(ledger, poll=0.005, clock=clock), ledger, clock)
        deny(ledger, asked.id, "ann", "no", clock.now)
        return await task

    assert asyncio.run(run()).state is State.DENIED


def test_no_answer_means_no(ledger: SqliteLedger, clock: Clock) -> None:
    async def run() -> tuple[Outcome, str]:
        task, asked = await ask_until(ApprovalQueue(ledger, poll=0.005, clock=clock), ledger, clock)
        clock.now += 120
        return await task, asked.id

    outcome, number = asyncio.run(run())
    assert outcome.state is State.EXPIRED
    assert not outcome.approved
    with pytest.raises(ApprovalError, match="expired before"):
        approve(ledger, number, "ann", "late", clock.now)


def test_one_answer_only(ledger: SqliteLedger) -> None:
    ledger.add(item("a"), 10, 1000)
    approve(ledger, "a", "ann", "fine", 1001)
    for answer in (approve, deny):
        with pytest.raises(ApprovalError, match=r"already approved by ann$"):
            answer(ledger, "a", "bob", "me too", 1002)


def test_an_answer_names_who_and_why(ledger: SqliteLedger) -> None:
    ledger.add(item("a"), 10, 1000)
    for operator, reason in (("", "x"), ("ann", " ")):
        with pytest.raises(ApprovalError, match="operator's id and a reason"):
            approve(ledger, "a", operator, reason, 1001)
    with pytest.raises(ApprovalError, match="no question"):
        approve(ledger, "b\x1b[2J", "ann", "x", 1001)


def test_bounded(ledger: SqliteLedger, clock: Clock) -> None:
    for number in range(3):
        ledger.add(item(str(number)), 3, 1000)
    outcome = asyncio.run(ApprovalQueue(ledger, most=3, poll=0.005, clock=clock).ask("w", "k", "y"))
    assert outcome.state is State.DENIED
    assert "too many" in outcome.reason


def test_texts_are_bounded_and_printable(ledger: SqliteLedger, clock: Clock) -> None:
    async def run() -> Asked:
        queue = ApprovalQueue(ledger, poll=0.005, clock=clock)
        task = asyncio.create_task(queue.ask("w\x1b[2J" * 500, "k", "y", ("t" * 900,) * 50, "p\u202e" * 9000))
        found = await first_waiting(ledger, clock)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return found

    asked = asyncio.run(run())
    assert len(asked.what) <= 200
    assert len(asked.preview) <= 2000
    assert len(asked.findings) == 20
    assert asked.what.isprintable()
    assert asked.preview.isprintable()


def test_a_client_that_leaves_cannot_be_approved(ledger: SqliteLedger, clock: Clock) -> None:
    async def run() -> str:
        task, asked = await ask_until(ApprovalQueue(ledger, poll=0.005, clock=clock), ledger, clock)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asked.id

    number = asyncio.run(run())
    with pytest.raises(ApprovalError, match="already denied: the client went away"):
        approve(ledger, number, "ann", "x", clock.now)


def test_a_restart_leaves_pending_ones_denied(tmp_path: Path) -> None:
    path = str(tmp_path / "a.db")
    first = SqliteLedger(path)
    first.add(item("a"), 10, 1000)
    first.close()
    again = SqliteLedger(path)
    assert waiting(again, 1011) == ()
    with pytest.raises(ApprovalError, match="gateway that asked is gone"):
        approve(again, "a", "ann", "x", 1012)


def test_who_waits_is_not_taken_for_gone(ledger: SqliteLedger) -> None:
    ledger.add(item("a"), 10, 1000)
    for now in range(1003, 1060, 3):
        assert ledger.get("a", now, waits=True) is not None
    assert [asked.id for asked in waiting(ledger, 1061)] == ["a"]


def test_a_broken_ledger_approves_nothing(ledger: SqliteLedger, clock: Clock) -> None:
    ledger.close()
    assert asyncio.run(ApprovalQueue(ledger, poll=0.005, clock=clock).ask("w", "k", "y")).state is State.DENIED


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    SqliteLedger(str(tmp_path / "a.db")).close()
    assert (tmp_path / "a.db").stat().st_mode & 0o077 == 0


_OPERATOR = """
import sys
from hauberk.guard.asking import Desk
from hauberk.guard.approvals import ApprovalError, SqliteLedger, approve
ledger, taken = SqliteLedger(sys.argv[1]), 0
for number in range(40):
    try:
        approve(ledger, str(number), sys.argv[2], "race", 1001)
        taken += 1
    except ApprovalError:
        pass
print(taken)
"""


def test_operators_in_several_processes_answer_each_once(tmp_path: Path) -> None:
    path = str(tmp_path / "a.db")
    ledger = SqliteLedger(path)
    for number in range(40):
        ledger.add(item(str(number)), 100, 1000)
    command = [sys.executable, "-c", _OPERATOR, path]
    operators = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True) for name in ("ann", "bob")]
    taken = [int(operator.communicate(timeout=60)[0]) for operator in operators]
    assert sum(taken) == 40
    ledger.close()


def told_of(ledger: SqliteLedger, clock: Clock, answer: "Callable[[Asked, asyncio.Task[bool]], None]") -> list[dict[str, object]]:
    """What the log gets of one question, answered by `answer`."""
    kept: list[dict[str, object]] = []

    async def run() -> None:
        queue = ApprovalQueue(ledger, poll=0.005, clock=clock)
        desk = Desk(queue, lambda kind, data: kept.append({"type": kind, **data}))
        task = asyncio.create_task(desk.ask("send_email (tool call)", (), "to: e…e", "ci (team-a)"))
        answer(await first_waiting(ledger, clock), task)
        await asyncio.wait([task])

    asyncio.run(run())
    assert all(isinstance(entry.pop("seconds"), float) and entry.pop("id") for entry in kept)
    return kept


def test_what_became_of_a_question_is_told(ledger: SqliteLedger, clock: Clock) -> None:
    head = {"type": "approval", "what": "send_email (tool call)", "who": "ci (team-a)"}

    def approved(item: Asked, _task: "asyncio.Task[bool]") -> None:
        assert item.who == "ci (team-a)"
        approve(ledger, item.id, "ann", "known recipient", clock.now)

    def gone(_item: Asked, task: "asyncio.Task[bool]") -> None:
        task.cancel()

    def late(_item: Asked, _task: "asyncio.Task[bool]") -> None:
        clock.now += 500

    assert told_of(ledger, clock, approved) == [{**head, "outcome": "approved", "operator": "ann", "reason": "known recipient"}]
    assert told_of(ledger, clock, gone) == [{**head, "outcome": "denied", "operator": "", "reason": "the client went away"}]
    assert told_of(ledger, clock, late) == [{**head, "outcome": "expired", "operator": "", "reason": "nobody answered in time"}]
