"""What every limit can do, local or shared."""

from typing import Protocol

FOREVER = float("inf")


class Meter(Protocol):
    """One limit. `wait` asks, `take` acts; nothing may come between the two.

    An amount is either spent at once or held until the request ends. All times are seconds of one monotonic clock.
    """

    def wait(self, amount: int, now: float) -> float:
        """Seconds until `amount` may be taken: 0 now, FOREVER never; an estimate where it hangs on requests under way."""
        ...

    def take(self, spent: int, held: int, now: float) -> None:
        """Takes `spent`, and holds `held` until `end`."""
        ...

    def end(self, held: int, spent: int, now: float) -> None:
        """Gives back `held` and counts `spent`, which may be more."""
        ...

    def refund(self, amount: int, taken: float, now: float) -> None:
        """Gives back part of what was spent at `taken`."""
        ...

    def left(self, now: float) -> int:
        """What could be taken now."""
        ...

    def reset(self, now: float) -> float:
        """Seconds until all of it is there again."""
        ...


class Adjustable(Meter, Protocol):
    """A limit that an admin may change while it is in use; what is counted stays counted."""

    def retarget(self, limit: int) -> None: ...
