"""Not furnished yet."""

from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.core import Asset, Fact, Gap, GapReason


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Yields one Gap."""
    del budget
    yield Gap(asset.uri, GapReason.UNSUPPORTED, "this format is recognised and not read yet")
