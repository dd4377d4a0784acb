"""The reader of what is not read: it says so."""

from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.core import Asset, Fact, Gap, GapReason


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Yields one Gap."""
    del budget
    yield Gap(asset.uri, GapReason.UNRECOGNISED, "the format of these bytes is not recognised")
