"""One shared limit, as one replica sees it."""

import threading
from collections.abc import Callable

import msgspec

from hauberk.guard.limits.meter import FOREVER
from hauberk.guard.limits.settings import OnLoss
from hauberk.guard.limits.window import TokenWindow

_ASK_AGAIN = 0.02  # seconds; a sync has been asked for and will have come back
_CLOSED = 1.0


class Report(msgspec.Struct, frozen=True):
    """What a sync tells Redis."""

    spent: int  # since the last one that came through
    recent: int  # in the window, for a Redis that does not know this replica
    held: int  # leased and unspent, or under way
    need: int
    like: int


Touch = Callable[["SharedMeter", bool], None]


class SharedMeter:
    """A slice of a limit, leased from Redis; taken from here, refilled by the replica's thread.

    Used by the event loop and by that thread; the lock is held for a few instructions.

    Args:
        name: Unique among all limits; the same in each replica.
        limit: In a window, all replicas together.
        window: Seconds.
        lease: Seconds for which a slice may be used without word from Redis.
        share: What this replica may take in a window when Redis is lost.
        on_loss: Whether it then may.
        touch: Called when there is something to report; True when it cannot wait.
    """

    def __init__(self, name: str, limit: int, window: float, lease: float, share: int, on_loss: OnLoss, touch: Touch) -> None:
        self.name = name
        self.limit = limit
        self.window = window
        self._lease = lease
        self._share = share
        self._on_loss = on_loss
        self._touch = touch
        self._active = False
        self._lock = threading.Lock()
        self._local = TokenWindow(limit, window)  # all that was taken here: for the share, and for a Redis that forgot
        self._free = 0
        self._under_way = 0
        self._unsent = 0
        self._sending = 0
        self._need = 0
        self._demand = 0.0
        self._taken = 0
        self._room = limit  # what nobody had taken or leased when Redis last answered
        self._until = 0.0  # the slice may be used before this
        self._denied = 0.0  # Redis said to wait until then
        self._leaving = False
        self.lost = False

    def retarget(self, limit: int) -> None:
        """Another limit from now on."""
        with self._lock:
            self._share = max(self._share * limit // self.limit, 1)
            self.limit = limit
            self._local.retarget(limit)

    def wait(self, amount: int, now: float) -> float:
        with self._lock:
            if amount > self.limit:
                return FOREVER
            if now < self._until and self._free >= amount:
                return 0.0
            if self.lost and now >= self._until:
                return self._shared_out(amount, now)
            self._need = max(self._need, amount)
            wait = self._denied - now
            self._report_soon(urgent=wait <= 0)
        return max(wait, _ASK_AGAIN)

    def take(self, spent: int, held: int, now: float) -> None:
        with self._lock:
            self._free = max(self._free - spent - held, 0)
            self._under_way += held
            self._unsent += spent
            self._taken += spent + held
            self._local.take(spent, held, now)
            self._report_soon(urgent=False)

    def end(self, held: int, spent: int, now: float) -> None:
        with self._lock:
            self._under_way -= held
            self._unsent += spent
            if now < self._until:
                self._free = max(self._free + held - spent, 0)
            self._local.end(held, spent, now)

    def refund(self, amount: int, taken: float, now: float) -> None:
        """Nothing: what was reported as spent may have been counted elsewhere already."""

    def left(self, now: float) -> int:
        """What could be taken, as far as Redis last said; its share of a window when Redis is lost."""
        with self._lock:
            if self.lost and now >= self._until:
                gone = self._local.limit - self._local.left(now)
                return max(self._share - gone, 0) if self._on_loss is OnLoss.SHARE else 0
            return min(self._room + (self._free if now < self._until else 0), self.limit)

    def reset(self, now: float) -> float:
        with self._lock:
            return self._local.reset(now)

    def report(self, now: float) -> Report | None:
        """What to tell Redis, or None when there is nothing. `granted` or `failed` must follow."""
        with self._lock:
            if now >= self._until:
                self._free = 0
            self._demand = (self._demand + self._taken) / 2
            self._taken = 0
            keep = int(2 * self._demand)
            idle = self._free > keep and self._free > self._need
            if idle:
                self._free = max(keep, self._need) if self._need else keep
            if not (idle or self._leaving or self._unsent or self._free or self._under_way or self._need):
                self._active = False
                return None
            self._sending, self._unsent = self._unsent, 0
            need = max(self._need - self._free, 0)
            self._need = 0
            recent = self._local.recent(now) + self._local.debt
            like = min(need + keep, max(need, self.limit // 8))
            return Report(self._sending, recent, self._free + self._under_way, need, like)

    def granted(self, amount: int, wait: float, sent: float, now: float, room: int = 0) -> None:
        """Redis has answered a report made at `sent`; `room` is what could still be leased."""
        with self._lock:
            self._sending = 0
            self._free += amount
            self._room = room
            self._until = sent + self._lease
            self._denied = now + wait
            self.lost = False

    def failed(self) -> None:
        """No answer: what was reported may or may not have been counted, and is reported again."""
        with self._lock:
            self._unsent += self._sending
            self._sending = 0
            self.lost = True

    def _shared_out(self, amount: int, now: float) -> float:
        if self._on_loss is OnLoss.CLOSED:
            return _CLOSED
        if amount > self._share:
            return FOREVER
        return self._local.wait(amount + self.limit - self._share, now)

    def _report_soon(self, *, urgent: bool) -> None:
        if urgent or not self._active:
            self._active = True
            self._touch(self, urgent)

    def give_up(self) -> None:
        """The process ends: what is leased and unspent goes back with the next report."""
        with self._lock:
            self._free = self._need = 0
            self._demand = 0.0
            self._taken = 0
            self._until = 0.0
            self._leaving = True
