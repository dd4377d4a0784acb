"""Leaves a failing upstream alone for a while, then lets one request try."""

from collections.abc import Callable
from enum import StrEnum

from hauberk.guard.settings import Circuit


class State(StrEnum):
    """Of a circuit: requests pass, are kept away, or one of them is trying."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Counts failures in a row. `clock` gives seconds that never go back."""

    __slots__ = ("_clock", "_failures", "_rest", "_settings", "_until", "state")

    def __init__(self, settings: Circuit, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._failures = 0
        self._rest = settings.rest
        self._until = 0.0
        self.state = State.CLOSED

    def wait(self) -> float:
        """Seconds until a request may be sent; 0 when it may now."""
        if self.state is State.CLOSED:
            return 0.0
        return max(0.0, self._until - self._clock())

    def enter(self) -> bool:
        """Whether a request may be sent now. While half open only one may, until it succeeded, failed or its rest passed."""
        if self.state is State.CLOSED:
            return True
        if self.wait() > 0:
            return False
        self.state = State.HALF_OPEN
        self._until = self._clock() + self._rest  # should the one that tries never come back
        return True

    def succeeded(self) -> None:
        if self.state is not State.CLOSED or self._failures:
            self.state = State.CLOSED
            self._failures = 0
            self._rest = self._settings.rest

    def failed(self) -> None:
        self._failures += 1
        if self.state is State.HALF_OPEN:
            self._rest = min(self._rest * 2, self._settings.longest_rest)
        elif self._failures < self._settings.failures:
            return
        self.state = State.OPEN
        self._until = self._clock() + self._rest
