"""CatBoost's binary form: a size, a FlatBuffer of that size, parts after it."""

import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.content import chunks
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Truncated
from hauberk.assets.metadata_text import metadata_facts
from hauberk.core import Asset, Fact, Gap

_TEXT = re.compile(rb"[\x20-\x7e\t\n]{8,65536}")
# A run of text without any of these holds no call, command or address.
_TELLING = re.compile(rb"[(|<;&]|://|base64")


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts of a CatBoost model."""
    assert asset.content is not None
    cursor = Cursor(asset.content, 4)
    size = cursor.uint(4)
    if size > cursor.remaining:
        note = f"a core of {size} bytes, {cursor.remaining} are there"
        raise Truncated(note, offset=4, check="catboost.core-size")
    position = 0
    for chunk in chunks(asset.content):
        budget.check_time()
        for found in _TEXT.finditer(chunk):
            if _TELLING.search(found.group()):
                yield from metadata_facts(found.group().decode("ascii"), "text in the model", position + found.start())
        position += len(chunk)
