"""Budgets of a day or a month that several replicas share."""

from typing import Protocol

from hauberk.guard.limits.ledger import BudgetMeter
from hauberk.guard.limits.meter import FOREVER, Adjustable
from hauberk.guard.limits.quota import Period, Unit

LARGEST = 2**53 - 1  # what Redis' scripts count exactly: 9 billion of a currency, in millionths
_SECONDS = {Period.DAY: 86_400.0, Period.MONTH: 31 * 86_400.0}


class Sharer(Protocol):
    """Makes limits that all replicas share: `Replica`."""

    def budget(self, account: str, limit: int, window: float) -> Adjustable:
        """The meter of `account`, the same each time; what is spent counts for `window` seconds at least."""
        ...

    def forget(self, account: str) -> None:
        """The account's period is over; what is under way may still end."""
        ...


class PeriodMeter:
    """A shared budget in one period. Nothing of it is free again before the period ends."""

    def __init__(self, meter: Adjustable, budget: BudgetMeter) -> None:
        self._meter = meter
        self._budget = budget
        self.take = meter.take
        self.end = meter.end
        self.refund = meter.refund
        self.left = meter.left

    def wait(self, amount: int, now: float) -> float:
        wait = self._meter.wait(amount, now)
        return wait if wait == FOREVER else min(wait, self._budget.reset(now))

    def reset(self, now: float) -> float:
        return self._budget.reset(now)


class SharedBudget:
    """What `budget` counts on this machine, counted over all replicas too: a leased slice of one account for each period.

    All of a request is held until it ends and counts as what it was then, for what was reported as spent is never taken back.
    """

    def __init__(self, budget: BudgetMeter, sharer: Sharer) -> None:
        self._budget = budget
        self._sharer = sharer
        self._account = ""
        self._meter: PeriodMeter | None = None

    @property
    def unit(self) -> Unit:
        return self._budget.unit

    def current(self) -> PeriodMeter:
        """The meter of the period that has begun; a request ends on the meter that it was taken from."""
        account = self._budget.account
        if self._meter is None or account != self._account:
            if self._account:
                self._sharer.forget(self._account)
            limit = min(self._budget.limit, LARGEST)
            meter = self._sharer.budget(account, limit, _SECONDS[self._budget.per])
            meter.retarget(limit)  # it may be known from before the quota was changed
            self._account, self._meter = account, PeriodMeter(meter, self._budget)
        return self._meter
