"""Reads pickle streams: follows each with the machine, and says what lies between and behind them."""

import re
from collections.abc import Generator, Iterator
from itertools import islice
from typing import Final

from hauberk.assets.budget import Budget
from hauberk.assets.content import SliceContent
from hauberk.assets.errors import ReadError
from hauberk.assets.pickle.machine import Halt
from hauberk.assets.pickle.nested import CALL
from hauberk.assets.pickle.opcodes import Machine
from hauberk.assets.pickle.trial import looks_like_pickle
from hauberk.core import Asset, Fact, Gap, GapReason

MAX_STREAMS: Final = 10_000
_SEARCHED: Final = 1 << 20  # bytes behind the last stream that are searched for another
_PADDING: Final = re.compile(rb"[\0\s]*")
_START: Final = re.compile(rb"\x80[\x02-\x05][\x28-\x95]")
_REASONS: Final = {
    "truncated": GapReason.TRUNCATED,
    "undecided": GapReason.UNDECIDED,
    "too-deep": GapReason.TOO_DEEP,
}


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Yields what each stream of `asset` would do, nested pickles as members, and gaps for what would never be read."""
    machine = Machine(asset, budget)
    yield from read_streams(machine, budget)


def read_streams(machine: Machine, budget: Budget, start: int = 0) -> Iterator[Fact | Asset | Gap]:
    """As `read`, from `start` on."""
    for number in range(MAX_STREAMS):
        machine.begin(start)
        end = yield from follow(machine)
        if end is None:
            yield from _search(machine, machine.opcode_at + 1)
            return
        following = _next_stream(machine, end)
        if following is None:
            yield from _behind(machine, end)
            return
        if number == 0:
            yield Fact("pickle.more-streams", "another pickle follows the first", offset=following)
        start = following
        budget.check_time()
    yield Gap(machine.asset.uri, GapReason.TOO_LARGE, f"more than {MAX_STREAMS} streams in one file")


def follow(machine: Machine) -> Generator[Fact | Asset | Gap, None, int | None]:
    """Follows one stream; returns its end, None when it breaks."""
    try:
        while machine.run_some():
            yield from _drain(machine)
        end = machine.offset
    except Halt as halt:
        end = None
        yield from _broken(machine, halt)
    except ReadError:
        machine.finish()
        yield from _drain(machine)
        raise
    machine.finish()
    yield from _drain(machine)
    return end


def _drain(machine: Machine) -> Iterator[Fact | Asset | Gap]:
    seen, machine.out = machine.out, []
    yield from seen


def _broken(machine: Machine, halt: Halt) -> Iterator[Fact | Gap]:
    reason = _REASONS.get(halt.kind, GapReason.MALFORMED)
    yield Fact(
        "pickle.malformed", f"the stream breaks: {halt.note}", offset=machine.opcode_at, attrs={"kind": halt.kind or "malformed"}
    )
    note = f"the stream breaks at byte {machine.opcode_at}: {halt.note}; the rest was not followed"
    yield Gap(machine.asset.uri, reason, note, offset=machine.opcode_at)


def _next_stream(machine: Machine, end: int) -> int | None:
    """Where another stream starts, padding passed over."""
    head = machine.content.read(end, 4096)
    padding = _PADDING.match(head)
    start = end + (padding.end() if padding else 0)
    if start >= machine.size:
        return None
    rest = SliceContent(machine.content, start, machine.size - start)
    return start if looks_like_pickle(rest, rest.read(0, 4096)) else None


def _behind(machine: Machine, end: int) -> Iterator[Fact | Asset | Gap]:
    left = machine.size - end
    if left <= 0 or not machine.content.read(end, 65536).strip(b"\0 \r\n\t"):
        return
    yield Fact("pickle.trailing-data", f"{left} bytes follow STOP and are no pickle", offset=end, attrs={"size": left})
    yield machine.asset.child(f"behind@{end}", SliceContent(machine.content, end, left))
    yield from _search(machine, end)


def _search_text(machine: Machine, start: int, data: bytes) -> Iterator[Asset]:
    """As `_search`, for a stream of protocol 0 behind a few bytes of anything: it begins with a harmful global."""
    for match in islice(CALL.finditer(data), 8):
        at = start + match.start()
        rest = SliceContent(machine.content, at, machine.size - at)
        if looks_like_pickle(rest, rest.read(0, 4096)):
            yield machine.asset.child(f"pickle@{at}", rest, format="pickle")
            return


def _search(machine: Machine, start: int) -> Iterator[Fact | Asset | Gap]:
    """Looks for a stream behind bytes that are none: a loader that seeks, or resumes, would run it."""
    data = machine.content.read(start, _SEARCHED)
    yield from _search_text(machine, start, data)
    for number, match in enumerate(_START.finditer(data)):
        if number >= 64:
            return
        at = start + match.start()
        rest = SliceContent(machine.content, at, machine.size - at)
        if looks_like_pickle(rest, rest.read(0, 4096)):
            yield machine.asset.child(f"pickle@{at}", rest, format="pickle")
            return
