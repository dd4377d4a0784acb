"""Reading a journal: streaming, and in memory that does not grow with the number of cases."""

import os
import re
from collections.abc import Collection, Iterator

import msgspec

from hauberk.probe.case import Case
from hauberk.probe.engine.errors import EngineError
from hauberk.probe.engine.folder import JOURNAL, planned_cases
from hauberk.probe.engine.log import CaseLog
from hauberk.probe.engine.record import (
    LONGEST,
    TARGET,
    Again,
    Ended,
    Failed,
    Got,
    Record,
    Sent,
    Stopped,
    case_in,
    decoded,
)
from hauberk.probe.outcome import Outcome
from hauberk.probe.result import Result
from hauberk.probe.targets.target import Exchange, Message

LOST = "sent, answer lost"
_CUT = "the run was cut before this case ended; --resume goes on with it"
_NOT_SENT = "not sent: the run was cut; --resume goes on"
_CASE = re.compile(rb'"case":"([0-9a-f]{20})"')


class Damage(msgspec.Struct, frozen=True):
    """A line that cannot be read. `i` is the case it was about, where that can be told; `torn` the end of a write cut short."""

    line: int
    why: str
    i: int | None = None
    torn: bool = False


class State(msgspec.Struct):
    """Where a run stands. `ends` counts for each case of the plan the times it ended (255 at most)."""

    ends: bytearray
    open: dict[int, CaseLog]
    damage: list[Damage]
    sent: int = 0
    usage: dict[str, tuple[int, int]] = {}  # who -> tokens of prompts and of answers
    why: str = ""  # why the last sitting stopped


def records(run_folder: str) -> Iterator[Record | Damage]:
    """The lines of a run's journal. Raises EngineError when it cannot be read at all."""
    for number, line in _lines(os.path.join(run_folder, JOURNAL)):
        yield _read(number, line)


def state(run_folder: str, cases: int) -> State:
    """Where a run stands: what its journal says, put together."""
    found = State(bytearray(cases), {}, [])
    for record in records(run_folder):
        _take(found, record)
    return found


def results(run_folder: str) -> Iterator[Result]:
    """One result for each planned case: those that ended in the journal's order, then what is missing, in the plan's.

    A case that was never sent is NOT_RUN; one that was sent and whose answer nobody has is an ERROR.
    """
    cases = sum(1 for _ in planned_cases(run_folder))
    now = state(run_folder, cases)
    seen = bytearray(cases)
    for record in records(run_folder):
        if isinstance(record, Ended) and record.i < cases:
            seen[record.i] = min(255, seen[record.i] + 1)
            if seen[record.i] == now.ends[record.i]:
                yield record.result
    for index, (case, _) in enumerate(planned_cases(run_folder)):
        if not now.ends[index]:
            yield _missing(case, now.open.get(index), now.why)


def transcript(run_folder: str, case_id: str) -> tuple[Exchange, ...]:
    """The exchanges of one case with the target; empty when it has none. For many cases use `transcripts`."""
    return transcripts(run_folder, (case_id,))[case_id]


def transcripts(run_folder: str, case_ids: Collection[str]) -> dict[str, tuple[Exchange, ...]]:
    """The exchanges of several cases, in one pass over the journal."""
    wanted = {case_id.encode(): _Conversation() for case_id in case_ids}
    for number, line in _lines(os.path.join(run_folder, JOURNAL)):
        found = _CASE.search(line[:80])
        conversation = wanted.get(found.group(1)) if found else None
        if conversation is not None:
            conversation.take(_read(number, line))
    return {case_id.decode(): conversation.exchanges() for case_id, conversation in wanted.items()}


def mend(run_folder: str) -> int:
    """Cuts a torn last line off the journal, so that the next one begins on its own; returns how many bytes went."""
    path = os.path.join(run_folder, JOURNAL)
    if not os.path.exists(path):
        return 0
    with open(path, "r+b") as file:
        size = end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - (1 << 16))
            file.seek(start)
            at = file.read(end - start).rfind(b"\n")
            if at >= 0:
                end = start + at + 1
                break
            end = start
        if end < size:
            file.truncate(end)
    return size - end


class _Conversation:
    """Puts the exchanges of one case together."""

    def __init__(self) -> None:
        self._exchanges: dict[int, Exchange] = {}
        self._messages: tuple[Message, ...] = ()

    def take(self, record: Record | Damage) -> None:
        if isinstance(record, Again):
            self._exchanges.clear()
            self._messages = ()
        elif isinstance(record, Sent | Got | Failed) and record.who == TARGET:
            self._learn(record)

    def _learn(self, record: Sent | Got | Failed) -> None:
        if isinstance(record, Sent):
            self._messages = (*self._messages[: record.shared], *record.request.messages)
            request = msgspec.structs.replace(record.request, messages=self._messages)
            self._exchanges[record.n] = Exchange(request, fault="lost", note=LOST)
        elif (before := self._exchanges.get(record.n)) is not None:
            if isinstance(record, Got):
                self._exchanges[record.n] = Exchange(before.request, record.reply)
            else:
                self._exchanges[record.n] = Exchange(before.request, fault=record.fault, note=record.note)

    def exchanges(self) -> tuple[Exchange, ...]:
        return tuple(exchange for _, exchange in sorted(self._exchanges.items()))


def _take(found: State, record: Record | Damage) -> None:
    cases = len(found.ends)
    if isinstance(record, Damage):
        found.damage.append(record)
        if record.i is not None and record.i < cases:
            found.open.setdefault(record.i, CaseLog()).damaged = True
    elif isinstance(record, Stopped):
        found.why = record.why
    elif isinstance(record, Ended):
        if record.i < cases:
            found.ends[record.i] = min(255, found.ends[record.i] + 1)
            found.open.pop(record.i, None)
    elif isinstance(record, Again):
        found.open.pop(record.i, None)
    elif isinstance(record, Sent | Got | Failed):
        found.sent += isinstance(record, Sent) and record.who == TARGET
        found.open.setdefault(record.i, CaseLog()).take(record)
        if not isinstance(record, Sent):
            prompt, completion = found.usage.get(record.who, (0, 0))
            if isinstance(record, Got):
                found.usage[record.who] = prompt + record.reply.usage.prompt, completion + record.reply.usage.completion
                found.sent += record.reply.requests - 1 if record.who == TARGET else 0
            else:
                found.usage[record.who] = prompt + record.tokens, completion


def _missing(case: Case, log: CaseLog | None, why: str) -> Result:
    if log is not None and log.lost:
        return Result(case, Outcome.ERROR, note=LOST)
    if log is not None and log.begun:
        return Result(case, Outcome.NOT_RUN, note=why or _CUT)
    return Result(case, Outcome.NOT_RUN, note=why or _NOT_SENT)


def _read(number: int, line: bytes) -> Record | Damage:
    if not line.endswith(b"\n"):
        return Damage(number, "it was cut short", case_in(line), torn=True)
    try:
        return decoded(line)
    except ValueError as error:
        return Damage(number, str(error), case_in(line))


def _lines(path: str) -> Iterator[tuple[int, bytes]]:
    try:
        file = open(path, "rb")  # noqa: SIM115 - closed by the with below
    except FileNotFoundError:
        return
    except OSError as error:
        raise EngineError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    with file:
        number = 0
        while line := file.readline(LONGEST):
            number += 1
            if not line.endswith(b"\n") and len(line) == LONGEST:
                while (rest := file.readline(1 << 20)) and not rest.endswith(b"\n"):
                    pass
                line = line[:200] + b"\n"  # no line of ours is so long: read as damaged
            yield number, line
