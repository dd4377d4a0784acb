"""All limits of a request together: either all of them let it pass, or none of them has taken anything."""

from collections.abc import Callable, Iterable
from enum import StrEnum

import msgspec

from hauberk.guard.limits.gcra import Gcra
from hauberk.guard.limits.ledger import BudgetMeter, Ledger
from hauberk.guard.limits.meter import FOREVER, Adjustable, Meter
from hauberk.guard.limits.prices import PriceList
from hauberk.guard.limits.quota import Quota, Unit
from hauberk.guard.limits.settings import LimitSettings
from hauberk.guard.limits.shared_budget import SharedBudget, Sharer
from hauberk.guard.limits.slots import Slots
from hauberk.guard.limits.window import TokenWindow

MAX_ACCOUNTS = 200_000  # keys with state in memory


class Cause(StrEnum):
    """Which limit stands in the way."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    CONCURRENCY = "concurrency"
    BUDGET = "budget"
    UNPRICED = "unpriced"  # a budget in money, and no price list
    SYSTEM = "system"  # a limit of the gateway, not of the key
    SOURCE = "source"
    QUEUE = "queue"  # no room to wait


class Ask(msgspec.Struct, frozen=True):
    """What a request wants, estimated."""

    key_id: str
    tenant: str
    quota: Quota
    model: str
    prompt: int  # tokens
    output: int  # tokens to hold for the answer

    @property
    def tokens(self) -> int:
        return self.prompt + self.output


class Blocked(msgspec.Struct, frozen=True):
    """Why a request may not pass now."""

    cause: Cause
    wait: float  # seconds until it might; FOREVER when it never will
    own: bool = True  # a limit of the key's own, not one that all share


class Lease(msgspec.Struct, eq=False):
    """What a request has taken, until it is settled."""

    ask: Ask
    taken: float  # when, seconds
    parts: list["Part"]
    open: bool = True


class Part(msgspec.Struct, eq=False):
    """What it has taken of one limit."""

    meter: Meter
    cause: Cause
    spent: int
    held: int
    unit: Unit | None  # None: requests and slots, of which a settlement changes nothing
    own: bool = True


class Meters(msgspec.Struct, eq=False):
    """The limits of one key."""

    quota: Quota
    requests: Adjustable | None
    tokens: Adjustable | None
    slots: Adjustable | None
    budgets: tuple[BudgetMeter, ...]
    shared: tuple[SharedBudget, ...] = ()  # the same, over all replicas


MakeMeter = Callable[[str, Cause, int], Adjustable]
"""Makes the meter of a key for a limit; replicas that share limits put theirs here."""


class Limiter:
    """Decides at once, never waits. Not thread-safe: it belongs to one event loop.

    Args:
        settings: Limits that hold for everybody.
        ledger: What was spent of budgets.
        make: Makes a key's meter for requests, tokens or concurrency; None keeps them in this process.
        sharer: Makes budgets count over all replicas; None keeps them in `ledger` alone.
    """

    def __init__(
        self,
        settings: LimitSettings,
        ledger: Ledger | None = None,
        make: MakeMeter | None = None,
        sharer: Sharer | None = None,
    ) -> None:
        self.settings = settings
        self.ledger = ledger or Ledger()
        self.prices = PriceList(settings.prices)
        self._make = make or self._local
        self._sharer = sharer
        self._keys: dict[str, Meters] = {}
        self.slots = Slots(settings.concurrency) if settings.concurrency is not None else None
        self.tokens = self._make("", Cause.TOKENS, settings.tokens) if settings.tokens is not None else None

    def try_take(self, ask: Ask, now: float) -> Lease | Blocked:
        """A lease, or which limit stands in the way longest. Nothing is taken then."""
        meters = self.meters(ask.key_id, ask.quota)
        if meters.budgets and not self.prices and any(b.unit is Unit.MONEY for b in meters.budgets):
            return Blocked(Cause.UNPRICED, FOREVER)
        parts = list(self._parts(ask, meters))
        worst: Blocked | None = None
        for part in parts:
            wait = part.meter.wait(part.spent + part.held, now)
            # The key's own limits come first: only when they let it pass may it keep others waiting for the shared ones.
            if wait > 0 and (worst is None or (wait > worst.wait and part.own == worst.own)):
                worst = Blocked(part.cause, wait, part.own)
        if worst is not None:
            return worst
        for part in parts:
            part.meter.take(part.spent, part.held, now)
        return Lease(ask, now, parts)

    def settle(self, lease: Lease, prompt: int, output: int, now: float, cached: int = 0) -> bool:
        """Ends a lease with what was used. False, and nothing done, when it was settled before."""
        if not lease.open:
            return False
        lease.open = False
        for part in lease.parts:
            if part.unit is None:
                part.meter.end(part.held, 0, now)
                continue
            spent, rest = prompt, output
            if part.unit is Unit.MONEY:
                spent, rest = 0, self.prices.cost(lease.ask.model, prompt, output, cached)
            more = spent - part.spent
            if more < 0:
                part.meter.refund(-more, lease.taken, now)
            part.meter.end(part.held, rest + max(more, 0), now)
        return True

    def meters(self, key_id: str, quota: Quota) -> Meters:
        """The key's limits, as its quota says now. What was counted under an earlier quota stays counted."""
        found = self._keys.get(key_id)
        if found is None or (found.quota is not quota and found.quota != quota):
            found = self._keys[key_id] = self._meters(key_id, quota, found)
            if len(self._keys) > MAX_ACCOUNTS:
                self._keys.pop(next(iter(self._keys)))
        return found

    def _parts(self, ask: Ask, meters: Meters) -> Iterable[Part]:
        if meters.requests is not None:
            yield Part(meters.requests, Cause.REQUESTS, 1, 0, None)
        if meters.slots is not None:
            yield Part(meters.slots, Cause.CONCURRENCY, 0, 1, None)
        if meters.tokens is not None:
            yield Part(meters.tokens, Cause.TOKENS, ask.prompt, ask.output, Unit.TOKENS)
        yield from self._budget_parts(ask, meters)
        if self.slots is not None:
            yield Part(self.slots, Cause.SYSTEM, 0, 1, None, own=False)
        if self.tokens is not None:
            yield Part(self.tokens, Cause.SYSTEM, ask.prompt, ask.output, Unit.TOKENS, own=False)

    def _budget_parts(self, ask: Ask, meters: Meters) -> Iterable[Part]:
        cost = self.prices.cost(ask.model, ask.prompt, ask.output) if meters.budgets else 0
        for budget in meters.budgets:
            if budget.unit is Unit.MONEY:
                yield Part(budget, Cause.BUDGET, 0, cost, Unit.MONEY)
            else:
                yield Part(budget, Cause.BUDGET, ask.prompt, ask.output, Unit.TOKENS)
        for shared in meters.shared:
            held = cost if shared.unit is Unit.MONEY else ask.tokens
            yield Part(shared.current(), Cause.BUDGET, 0, held, shared.unit)

    def _meters(self, key_id: str, quota: Quota, before: Meters | None) -> Meters:
        def make(cause: Cause, limit: int | None, old: Adjustable | None) -> Adjustable | None:
            if limit is None or old is None:
                return None if limit is None else self._make(key_id, cause, limit)
            old.retarget(limit)
            return old

        budgets = tuple(BudgetMeter(key_id, budget, self.ledger) for budget in quota.budgets)
        sharer = self._sharer
        return Meters(
            quota=quota,
            requests=make(Cause.REQUESTS, quota.requests, before and before.requests),
            tokens=make(Cause.TOKENS, quota.tokens, before and before.tokens),
            slots=make(Cause.CONCURRENCY, quota.concurrency, before and before.slots),
            budgets=budgets,
            shared=tuple(SharedBudget(budget, sharer) for budget in budgets) if sharer is not None else (),
        )

    def _local(self, key_id: str, cause: Cause, limit: int) -> Adjustable:
        del key_id
        if cause is Cause.REQUESTS:
            return Gcra(limit, window=self.settings.window)
        return Slots(limit) if cause is Cause.CONCURRENCY else TokenWindow(limit, self.settings.window)
