"""The normaliser's tables, made by the scripts in `evals/guard/tables`; each is read when it is first needed."""

import math
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


@cache
def vocabulary() -> dict[str, float]:
    """English words in lower case, rarer ones too, with what each costs in nats: the log of its rank, after Zipf."""
    return {word: math.log(rank + 50) for rank, word in enumerate(table("vocabulary")["words"].split(" "))}
