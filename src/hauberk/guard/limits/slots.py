"""Requests under way at the same time."""

from hauberk.guard.limits.meter import FOREVER

_GUESS = 1.0  # seconds; when a request under way will end is not known


class Slots:
    """At most `limit` held at once. The limit may be moved at any time."""

    __slots__ = ("held", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def retarget(self, limit: int) -> None:
        """Another limit from now on."""
        self.limit = limit

    def wait(self, amount: int, now: float) -> float:
        del now
        if self.held + amount <= self.limit:
            return 0.0
        return _GUESS if self.limit >= amount else FOREVER

    def take(self, spent: int, held: int, now: float) -> None:
        del spent, now
        self.held += held

    def end(self, held: int, spent: int, now: float) -> None:
        del spent, now
        self.held -= held

    def refund(self, amount: int, taken: float, now: float) -> None:
        """Nothing is ever spent."""

    def left(self, now: float) -> int:
        del now
        return max(self.limit - self.held, 0)

    def reset(self, now: float) -> float:
        del now
        return _GUESS if self.held else 0.0
