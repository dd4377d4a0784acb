"""Bounds on what reading one top-level asset may cost."""

import time

import msgspec

from hauberk.assets.errors import ReadError
from hauberk.core import GapReason


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """How much one top-level asset may cost. Sizes in bytes, times in seconds."""

    depth: int = 12  # containers inside containers
    members: int = 50_000  # assets read inside one top-level asset
    expanded: int = 4 << 30  # bytes that may come out of decompression, all members together
    ratio: int = 500  # expanded bytes to compressed bytes of one stream, once past 32 MiB
    text: int = 64 << 20  # the longest text parsed as a whole (JSON, XML, source)
    facts: int = 5_000  # facts kept of one asset
    seconds: float = 120.0  # per top-level asset


class Budget:
    """What is left of the limits of one top-level asset. Readers call it; it raises ReadError when spent."""

    __slots__ = ("_ticks", "deadline", "expanded", "limits", "members")

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.deadline = time.monotonic() + self.limits.seconds
        self.members = 0
        self.expanded = 0
        self._ticks = 0

    def check_time(self) -> None:
        """Raises ReadError(TIMEOUT) after the deadline. Costs a clock read: call it once a chunk, not once a byte."""
        if time.monotonic() > self.deadline:
            raise ReadError(GapReason.TIMEOUT, f"not finished in {self.limits.seconds:g} s")

    def tick(self, every: int = 4096) -> None:
        """Cheap form of `check_time` for inner loops: looks at the clock once in `every` calls."""
        self._ticks += 1
        if self._ticks >= every:
            self._ticks = 0
            self.check_time()

    def spend_member(self) -> None:
        """Counts one member. Raises ReadError(TOO_LARGE) past the limit."""
        self.members += 1
        if self.members > self.limits.members:
            raise ReadError(GapReason.TOO_LARGE, f"more than {self.limits.members} members", check="archive.member-bomb")

    def spend_expanded(self, produced: int, *, total_in: int = 0, total_out: int = 0) -> None:
        """Counts `produced` decompressed bytes; `total_in`/`total_out` of this stream so far bound its ratio."""
        self.expanded += produced
        if self.expanded > self.limits.expanded:
            note = f"expands to more than {self.limits.expanded >> 20} MiB"
            raise ReadError(GapReason.TOO_LARGE, note, check="archive.bomb")
        if total_out > 32 << 20 and total_in and total_out > self.limits.ratio * total_in:
            note = f"expands more than {self.limits.ratio} times"
            raise ReadError(GapReason.TOO_LARGE, note, check="archive.bomb")
