"""Long runs of inert opcodes, passed over by one regular expression instead of one handler each.

Above a mark, opcodes that only make, group and memoise data can reach nothing but data: C's unpickler refuses to pop
below the mark. So when everything in the topmost frame is inert, a run of such opcodes leaves the frame inert, however
many values it pushed; the frame becomes FILL, any number of inert values. Where a later opcode needs one of them (the
name of a global), the machine goes back and follows the run one by one.
"""

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from hauberk.assets.pickle.values import FILL, Items, Opaque, Result, Table, Value

if TYPE_CHECKING:
    from hauberk.assets.pickle.machine import Machine

SMALLEST: Final = 1 << 16  # bytes of a stream from which on runs are worth looking for
SHORTEST: Final = 16
_MAX_LIVE: Final = 120
_MAX_FRAME: Final = 2048
_TAIL: Final = 512  # bytes at the end of a run that are followed one by one when its last strings are needed
_INERT: Final = frozenset({str, bytes, int, tuple, Items, Table, Opaque})
_CLOSE: Final = rb"[tedlu\x90\x91]"


def _sized(prefix: bytes, zeros: bytes, low: int, high: int) -> bytes:
    """Strings of `low` to `high` - 1 bytes behind their length, tried in groups of 16."""
    groups: list[bytes] = []
    for start in range(low, high, 16):
        sizes = range(start, min(start + 16, high))
        branches = b"|".join(re.escape(bytes([n])) + zeros + (b".{%d}" % n if n else b"") for n in sizes)
        span = re.escape(bytes([sizes[0]])) + b"-" + re.escape(bytes([sizes[-1]]))
        groups.append(b"(?=[" + span + b"])(?:" + branches + b")")
    return prefix + b"(?:" + b"|".join(groups) + b")"


# Strings of 20 bytes and more that begin as base64 of a pickle are left to their handler.
_TEXT: Final = _sized(rb"\x8c", b"", 0, 20) + b"|" + _sized(rb"\x8c(?!.gA)", b"", 20, 256)
_LONG_TEXT: Final = _sized(b"X", rb"\0\0\0", 0, 20) + b"|" + _sized(rb"X(?!.\0\0\0gA)", rb"\0\0\0", 20, 256)
# Containers opened one in another without end are left to the handlers, which count the depth.
_OPENINGS: Final = rb"[\]}\x8f](?!(?:(?:\x94|q.|r....)?[\]}\x8f]){6})"
_NUMBERS: Final = (
    rb"K.|M..|J....|G.{8}|\x8a(?:\0|\x01.|\x02..|\x03...|\x04.{4}|\x05.{5}|\x06.{6}|\x07.{7}|\x08.{8}|\x09.{9})|I-?\d{1,18}\n"
)


def _index(opcode: bytes, width: int, live: tuple[int, ...]) -> bytes:
    """The opcode with any memo index but the live ones."""
    kept = [re.escape(n.to_bytes(width, "little")) for n in live if n < 1 << 8 * width]
    refused = b"(?!" + b"|".join(kept) + b")" if kept else b""
    return opcode + refused + b"." * width


def _makers(classes: tuple[int, ...], value: bytes, memo: bytes) -> list[bytes]:
    """Objects of classes that have been reported: `cls args NEWOBJ` or `cls args REDUCE`, the class from the memo."""
    if not classes:
        return []
    short = [rb"h" + re.escape(bytes([n])) for n in classes if n < 256]
    wide = [rb"j" + re.escape(n.to_bytes(4, "little")) for n in classes]

    def args(one: bytes) -> bytes:
        return rb"(?:\)|%(v)s\x85|%(v)s%(v)s\x86|%(v)s%(v)s%(v)s\x87)" % {b"v": b"(?:" + one + b")" + memo} + memo

    cls = b"(?:" + b"|".join(short + wide) + b")"
    # What is called with a string may open the file of that name: the handlers look at it.
    return [cls + args(value) + rb"\x81", cls + args(rb"[N\x88\x89]|" + _NUMBERS) + b"R"]


@lru_cache(maxsize=16)
def run_pattern(live: tuple[int, ...], classes: tuple[int, ...], *, memoize: bool) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """A run of inert opcodes, and what finds its MEMOIZEs, or its PUTs."""
    memo = rb"" if memoize else b"|" + _index(b"q", 1, live) + b"|" + _index(b"r", 4, live)
    gets = _index(b"h", 1, live) + b"|" + _index(b"j", 4, live)
    scalar = gets + rb"|[N\x88\x89]|" + _NUMBERS + b"|" + _TEXT
    plain = rb"[N\x88\x89)\x85-\x87asb" + (rb"\x94" if memoize else b"") + b"]"
    makers = _makers(classes, scalar, rb"\x94?" if memoize else b"")
    atom = b"|".join([gets, plain, _OPENINGS, _NUMBERS, _TEXT, _LONG_TEXT, *makers]) + memo
    body = b"(?:" + atom + b")*+"
    for _ in range(3):
        body = b"(?:" + atom + rb"|\(" + body + _CLOSE + b")*+"
    uncounted = rb"[N\x88\x89)\]}\x8f\x85-\x87asb(tedlu\x90\x91\x81R]|[h].|j....|" + _NUMBERS + b"|" + _TEXT + b"|" + _LONG_TEXT
    found = rb"\x94" if memoize else rb"(?:q(.)|r(....))"
    return re.compile(body, re.DOTALL), re.compile(b"(?:" + uncounted + b")*+" + found, re.DOTALL)


def follow_runs(m: "Machine") -> None:
    """Passes over the runs ahead as long as they are worth it; other opcodes go through their handlers."""
    found = _pattern(m)
    if found is None:
        m.bulk_after = m.offset + (1 << 20)
        return
    run, memoized = found
    gained, steps, puts = 0, 1, m.puts
    for _ in range(256):
        steps = min(steps * 2, 16)
        if _frame_is_inert(m):
            match = run.match(m.buffer, m.pos, m.limit)
            end = match.end() if match is not None else m.pos
            if end - m.pos >= SHORTEST:
                gained += end - m.pos
                steps = 1  # what ends a run mostly closes a container: the next run may be one level up
                _swallow(m, end, memoized)
        if m.step(steps) or m.live_version != m.pattern_version or m.puts != puts:
            break
    if gained < 4096:
        m.bulk_after = m.offset + 4096


def _pattern(m: "Machine") -> tuple[re.Pattern[bytes], re.Pattern[bytes]] | None:
    if m.stepwise or (m.puts and m.memoizes):
        return None
    live, classes = m.live_indexes()
    if len(live) > _MAX_LIVE:
        return None
    m.pattern_version = m.live_version
    return run_pattern(live, classes, memoize=not m.puts)


def _frame_is_inert(m: "Machine") -> bool:
    if len(m.stack) - m.fence > _MAX_FRAME:  # looking through it again and again would cost more than it gains
        return False
    return all(type(value) in _INERT or is_made(value) for value in m.stack[m.fence :])


def is_made(value: Value) -> bool:
    """An object of a class that has been reported and does nothing of its own when it is made or built."""
    return type(value) is Result and value.origin.settled


def _swallow(m: "Machine", end: int, memoized: re.Pattern[bytes]) -> None:
    count = 0
    if m.puts:
        if _overwrites(m, end, memoized):
            start_over(m)
            return
    else:
        # With one more at its end the last match always succeeds, so counting never starts over: it stays linear.
        count = memoized.subn(b"", m.buffer[m.pos : end] + b"\x94")[1] - 1
    frame = m.stack[m.fence :]
    m.run_start = (m.offset, frame, m.memo_size, m.fence, m.base + end)
    if count:
        m.regions.append((m.memo_size, m.offset))
        m.memo_size += count
        m.memoizes = True
    m.swallowed = True
    m.stack[m.fence :] = [FILL]
    m.pos = end


def _overwrites(m: "Machine", end: int, puts: re.Pattern[bytes]) -> bool:
    """Whether a PUT of the run ahead takes the place of a known memo entry. No pickler writes one index twice."""
    memo = m.memo
    found = puts.findall(m.buffer[m.pos : end] + b"q\0")  # with a last one it stays linear, as where MEMOIZEs are counted
    found.pop()
    return any(int.from_bytes(one or four, "little") in memo for one, four in found)


def start_over(m: "Machine") -> None:
    """Follows the stream from its start, opcode by opcode: its memo cannot be kept over runs that are passed over."""
    m.begin(m.started)
    m.stepwise = True


def go_back(m: "Machine") -> bool:
    """Goes back into the last run, so that its last opcodes are followed one by one. False when there is none."""
    if m.run_start is None or m.run_start[3] != m.fence:
        return False
    start, frame, memo_size, fence, end = m.run_start
    m.run_start = None
    m.stack[fence:] = frame
    if not m.puts:
        for index in [index for index in m.memo if index >= memo_size]:
            del m.memo[index]
        m.memo_size = memo_size
        while m.regions and m.regions[-1][0] >= memo_size:
            m.regions.pop()
    m.bulk_after = m.offset
    m.jump(start)
    found = _pattern(m)
    if found is not None and end - start > 2 * _TAIL and m.went_back != start:
        match = found[0].match(m.buffer, 0, min(m.limit, end - start - _TAIL))
        if match is not None and match.end() > SHORTEST:
            _swallow(m, match.end(), found[1])
    m.went_back = start
    return True
