"""Tokens in a sliding window: reserve, then settle."""

from hauberk.guard.limits.meter import FOREVER

SLOTS = 60


class TokenWindow:
    """At most `limit` tokens in any `window` seconds.

    Prompt tokens count from the moment of admission, output tokens from admission (as a reservation) until `window` seconds
    after the request ended. Whenever an answer's tokens were really made in between, then, no window holds more than the limit,
    *provided that no answer is longer than its reservation*. Tokens over the reservation are counted as far as there is room and
    carried as debt beyond: nothing is admitted until later windows have repaid it. So what was admitted never exceeds the
    limit, a single window can exceed it by at most the overruns of requests under way, and the mean over time cannot.

    Time is kept in `slots` slots; a slot expires when all of it is a window old, up to window/slots late, never early.

    Args:
        limit: Tokens in a window.
        window: Seconds.
        slots: How finely the window slides.
    """

    __slots__ = ("_held", "_slots", "_sum", "_tick", "_width", "debt", "limit", "window")

    def __init__(self, limit: int, window: float = 60.0, slots: int = SLOTS) -> None:
        self.limit = limit
        self.window = window
        self.debt = 0
        self._width = window / slots
        self._slots = [0] * (slots + 1)
        self._sum = 0
        self._held = 0
        self._tick = -1

    @property
    def counted(self) -> int:
        """Tokens that fill the window, reservations included."""
        return self._sum + self._held

    def retarget(self, limit: int) -> None:
        """Another limit from now on."""
        self.limit = limit

    def wait(self, amount: int, now: float) -> float:
        self._advance(now)
        need = amount + self._sum + self._held + self.debt - self.limit
        if need <= 0:
            return 0.0
        return FOREVER if amount > self.limit else self._until(need, now)

    def take(self, spent: int, held: int, now: float) -> None:
        self._advance(now)
        self._charge(spent)
        self._held += held

    def end(self, held: int, spent: int, now: float) -> None:
        self._advance(now)
        self._held -= held
        self._charge(spent)

    def refund(self, amount: int, taken: float, now: float) -> None:
        """Gives back spent tokens, if the slot they were counted in is still in the window."""
        self._advance(now)
        back = min(self.debt, amount)
        self.debt -= back
        tick = int(taken / self._width)
        if self._tick - tick < len(self._slots) and tick <= self._tick:
            place = tick % len(self._slots)
            rest = min(self._slots[place], amount - back)
            self._slots[place] -= rest
            self._sum -= rest

    def left(self, now: float) -> int:
        self._advance(now)
        return max(self.limit - self._sum - self._held - self.debt, 0)

    def reset(self, now: float) -> float:
        self._advance(now)
        return self._until(self._sum, now) if self._sum else 0.0

    def recent(self, now: float) -> int:
        """Tokens spent within the window, reservations left out."""
        self._advance(now)
        return self._sum

    def _charge(self, amount: int) -> None:
        room = max(self.limit - self._sum - self._held, 0)
        now_counted = min(amount, room)
        self._slots[self._tick % len(self._slots)] += now_counted
        self._sum += now_counted
        self.debt += amount - now_counted

    def _advance(self, now: float) -> None:
        tick = int(now / self._width)
        if tick <= self._tick:  # a clock that stands still or goes back frees nothing
            return
        size = len(self._slots)
        for passed in range(max(self._tick + 1, tick - size + 1), tick + 1):
            self._sum -= self._slots[passed % size]
            self._slots[passed % size] = 0
        self._tick = tick
        if self.debt:
            owed, self.debt = self.debt, 0
            self._charge(owed)

    def _until(self, need: int, now: float) -> float:
        """Seconds until slots with `need` tokens have expired; a whole window when requests under way hold them."""
        size, freed = len(self._slots), 0
        for tick in range(self._tick - size + 1, self._tick + 1):
            freed += self._slots[tick % size]
            if freed >= need:
                return max((tick + size) * self._width - now, 0.0)
        return self.window
