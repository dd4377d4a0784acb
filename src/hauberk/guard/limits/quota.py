"""What one key may use: rates, concurrency, budgets, and its weight in the queue."""

from enum import StrEnum

import msgspec

PRIORITIES = 4


class Unit(StrEnum):
    """What a budget counts."""

    TOKENS = "tokens"
    MONEY = "money"  # in the currency of the price list


class Period(StrEnum):
    """How long a budget runs: a calendar day or month, UTC."""

    DAY = "day"
    MONTH = "month"


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An amount for a calendar period."""

    amount: float
    unit: Unit = Unit.TOKENS
    per: Period = Period.DAY


class Quota(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of one key; None means no limit of that kind."""

    requests: int | None = None  # a minute
    tokens: int | None = None  # a minute, prompt and output together
    concurrency: int | None = None  # requests under way
    budgets: tuple[Budget, ...] = ()
    priority: int = 1  # 0 (first to be shed) to 3; each step doubles the share of the queue

    @property
    def weight(self) -> int:
        """Share in the fair queue, relative to other tenants."""
        return 1 << min(max(self.priority, 0), PRIORITIES - 1)

    def problems(self) -> list[str]:
        """What is wrong with the numbers, one sentence each."""
        found = [
            f"{name} must be 1 or more, or left out"
            for name in ("requests", "tokens", "concurrency")
            if (value := getattr(self, name)) is not None and value < 1
        ]
        if not 0 <= self.priority < PRIORITIES:
            found.append(f"priority must be 0 to {PRIORITIES - 1}")
        if any(not 0 < b.amount < 1e15 for b in self.budgets):
            found.append("a budget's amount must be over 0")
        if len({(b.unit, b.per) for b in self.budgets}) < len(self.budgets):
            found.append("there may be one budget for each unit and period")
        return found
