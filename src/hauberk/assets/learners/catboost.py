"""CatBoost's binary form: a size, a FlatBuffer of that size, parts after it."""

from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Truncated
from hauberk.assets.learners.loose_text import loose_facts
from hauberk.core import Asset, Fact, Gap


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts of a CatBoost model."""
    assert asset.content is not None
    cursor = Cursor(asset.content, 4)
    size = cursor.uint(4)
    if size > cursor.remaining:
        note = f"a core of {size} bytes, {cursor.remaining} are there"
        raise Truncated(note, offset=4, check="catboost.core-size")
    yield from loose_facts(asset.content, budget)
