"""The normaliser's tables, made by `evals/guard/tables/build.py`; each is read when it is first needed."""

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec


def table(name: str) -> Any:
    """The table called `name`."""
    path = files("hauberk.rules") / "data" / "normalise" / f"{name}.json"
    return msgspec.json.decode(path.read_bytes())


@cache
def english_words() -> frozenset[str]:
    """Common English words, in lower case."""
    return frozenset(table("english")["words"].split(" "))
