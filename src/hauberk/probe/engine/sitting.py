"""Sitting: begins or resumes a run, and plays it to its end or to a signal."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Generator, Iterable, Iterator

import msgspec

from hauberk.probe.engine.errors import EngineError
from hauberk.probe.engine.folder import RunFolder, digest_of
from hauberk.probe.engine.log import CaseLog
from hauberk.probe.engine.meter import Meter
from hauberk.probe.engine.plan import Planned
from hauberk.probe.engine.reading import Damage, State, mend, records, state
from hauberk.probe.engine.record import Again, Ended, Failed, Got, Sent
from hauberk.probe.engine.runner import Parts, Runner
from hauberk.probe.engine.settings import RunSettings
from hauberk.probe.outcome import Outcome

DAMAGE_SHOWN = 20


class Ending(msgspec.Struct, frozen=True):
    """How a sitting ended.

    Attributes:
        why: Why it stopped before its plan did, "" when it did not.
        fatal: Whether that is for the user to mend: credentials, a full disk.
        at_once: Whether it was told twice to stop.
        notices: One line each for the reader.
    """

    why: str = ""
    fatal: bool = False
    at_once: bool = False
    notices: tuple[str, ...] = ()


def sit(
    folder: RunFolder,
    plan: Iterable[Planned],
    parts: Parts,
    settings: RunSettings,
    *,
    resend: bool = False,
    show: Callable[[Runner], Meter] | None = None,
) -> Ending:
    """Plays what has not ended of the run in `folder`. Raises EngineError when it cannot be taken up."""
    if digest_of(plan) != folder.manifest.digest:
        raise EngineError(f"{folder.path}: seeds, attacks or settings are other than when this run was planned; begin a new one")
    torn = mend(folder.path)
    found = state(folder.path, folder.manifest.cases)
    notices = [f"the end of the journal was cut short and {torn} bytes were dropped"] if torn else []
    notices += list(_told(folder, found, resend=resend))
    if resend:
        _reopen_errors(folder, found)
    return asyncio.run(_sitting(folder, plan, parts, settings, found, tuple(notices), resend, show))


async def _sitting(
    folder: RunFolder,
    plan: Iterable[Planned],
    parts: Parts,
    settings: RunSettings,
    found: State,
    notices: tuple[str, ...],
    resend: bool,  # noqa: FBT001 - passed on
    show: Callable[[Runner], Meter] | None,
) -> Ending:
    runner = Runner(folder, plan, parts, settings, found, resend=resend)
    at_once = False
    with _signals(runner):
        shown = asyncio.create_task(show(runner).run()) if show else None
        try:
            await runner.run()
        except asyncio.CancelledError:
            at_once = True
        finally:
            if shown is not None:
                shown.cancel()
                await asyncio.gather(shown, return_exceptions=True)
    failure = runner.journal_failure
    return Ending(failure or runner.halt.why, bool(failure) or runner.halt.fatal, at_once, notices)


@contextlib.contextmanager
def _signals(runner: Runner) -> Generator[None]:
    loop = asyncio.get_running_loop()
    caught: list[signal.Signals] = []
    for one in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # not in the main thread
            loop.add_signal_handler(one, runner.interrupt)
            caught.append(one)
    try:
        yield
    finally:
        for one in caught:
            loop.remove_signal_handler(one)


def _told(folder: RunFolder, found: State, *, resend: bool) -> Iterator[str]:
    """What a reader has to know of an earlier sitting."""
    damage = [one for one in found.damage if not one.torn]
    for one in damage[:DAMAGE_SHOWN]:
        yield damage_line(folder.journal, one)
    if len(damage) > DAMAGE_SHOWN:
        yield f"{folder.journal}: {len(damage) - DAMAGE_SHOWN} more damaged lines"
    lost = sum(1 for log in found.open.values() if log.lost)
    if lost:
        what = "are asked again" if resend else 'end as errors ("sent, answer lost"); --resume --resend asks them again'
        yield f"{lost} cases were sent when the run was cut and their answers are lost: they {what}"


def damage_line(name: str, one: Damage) -> str:
    """One damaged line, as a person reads it."""
    return f"{name}: line {one.line} is damaged: {one.why}"


def _reopen_errors(folder: RunFolder, found: State) -> None:
    """Makes cases that ended in an error open again."""
    last = {
        record.i: record.result.outcome
        for record in records(folder.path)
        if isinstance(record, Ended) and (record.result.outcome is Outcome.ERROR or found.ends[record.i] > 1)
    }
    reopened = {i for i, outcome in last.items() if outcome is Outcome.ERROR}
    for record in records(folder.path):
        if isinstance(record, Again):
            found.open.pop(record.i, None)
        elif isinstance(record, Sent | Got | Failed) and record.i in reopened:
            found.open.setdefault(record.i, CaseLog()).take(record)
    for i in reopened:
        found.ends[i] = 0
