"""What a run has done so far, as it goes."""

import time
from collections import Counter

from hauberk.probe.outcome import Outcome
from hauberk.probe.result import Result


class Counts:
    """Shared between the runner and whoever shows it. `before` are cases that ended in earlier sittings."""

    def __init__(self, planned: int, before: int = 0) -> None:
        self.planned, self.before = planned, before
        self.ended = before
        self.outcomes: Counter[Outcome] = Counter()
        self.started = time.monotonic()
        self.reached = 0  # attacks that got through

    def add(self, result: Result) -> None:
        """A case has ended."""
        self.ended += 1
        self.outcomes[result.outcome] += 1
        self.reached += not result.case.wanted and result.outcome in {Outcome.COMPLIED, Outcome.PARTIAL}

    @property
    def seconds(self) -> float:
        """Since this sitting began."""
        return time.monotonic() - self.started

    @property
    def seconds_left(self) -> float | None:
        """By the speed of this sitting so far; None while it is too early to tell."""
        done = self.ended - self.before
        return None if done < 3 else self.seconds / done * (self.planned - self.ended)
