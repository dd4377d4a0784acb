"""Plain text: read whole by the text engines, nothing to parse."""

from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.core import Asset, Fact, Gap


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Yields nothing: the engines that read text look at the content itself."""
    del asset, budget
    yield from ()


def read_empty(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Yields nothing: there is nothing in it."""
    del asset, budget
    yield from ()
