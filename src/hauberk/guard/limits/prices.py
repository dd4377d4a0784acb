"""What tokens cost."""

import math
from fnmatch import fnmatchcase

from hauberk.guard.limits.settings import Price

MICRO = 1_000_000
"""Money is counted in whole millionths of the currency, so that sums are exact: a price for a million tokens is then
the price of one token in this unit."""


class PriceList:
    """Prices by model. A model without one costs as much as the dearest, so that no budget is passed by a new name."""

    def __init__(self, prices: tuple[Price, ...]) -> None:
        self._prices = prices
        self._dearest = max(prices, key=lambda p: p.input + p.output, default=None)
        self._found: dict[str, Price | None] = {}

    def __bool__(self) -> bool:
        """Whether there are prices at all; without them money cannot be counted."""
        return bool(self._prices)

    def cost(self, model: str, prompt: int, output: int, cached: int = 0) -> int:
        """Millionths of the currency, rounded up; 0 without prices. `cached` is the part of `prompt` that was in a cache."""
        price = self._price(model)
        if price is None:
            return 0
        cached = min(cached, prompt)
        reread = price.input if price.cached is None else price.cached
        return math.ceil((prompt - cached) * price.input + cached * reread + output * price.output)

    def _price(self, model: str) -> Price | None:
        if model not in self._found:
            if len(self._found) >= 1_000:  # names come from callers
                self._found.clear()
            name = model[:256]
            self._found[model] = next((p for p in self._prices if fnmatchcase(name, p.model)), self._dearest)
        return self._found[model]
