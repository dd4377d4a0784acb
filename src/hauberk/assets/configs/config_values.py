"""Every value of a parsed configuration, with where it stands; the same for JSON and YAML."""

from collections.abc import Iterator
from typing import cast

import msgspec

from hauberk.assets.budget import Budget
from hauberk.assets.errors import ReadError
from hauberk.assets.quoting import quote
from hauberk.core import GapReason

MAX_VALUES = 4_000_000
Mapping = dict[str, object]


class Place(msgspec.Struct, frozen=True):
    """One value: `where` is its path (`model.layers[0].type`), `key` the last name on it, `holder` the mapping it is in."""

    where: str
    key: str
    value: object
    holder: Mapping


def mapping(value: object) -> Mapping | None:
    """`value` as a mapping, None when it is none."""
    return cast("Mapping", value) if isinstance(value, dict) else None


def listing(value: object) -> list[object] | None:
    """`value` as a list, None when it is none."""
    return cast("list[object]", value) if isinstance(value, list) else None


def places(root: object, budget: Budget) -> Iterator[Place]:
    """Every mapping and every scalar below `root`, without recursion. Raises ReadError past the bound."""
    stack = [Place("", "", root, {})]
    seen = 0
    while stack:
        place = stack.pop()
        seen += 1
        budget.tick()
        if seen > MAX_VALUES:
            raise ReadError(GapReason.TOO_LARGE, f"more than {MAX_VALUES} values in one file")
        if (held := mapping(place.value)) is not None:
            yield place
            dot = "." if place.where else ""
            below = [Place(f"{place.where}{dot}{quote(str(key), 60)}", str(key), value, held) for key, value in held.items()]
            stack.extend(reversed(below))
        elif (items := listing(place.value)) is not None:
            indexed = [Place(f"{place.where}[{n}]", place.key, value, place.holder) for n, value in enumerate(items)]
            stack.extend(reversed(indexed))
        else:
            yield place


def is_long_row_of_scalars(value: object) -> bool:
    """Whether `value` is a vocabulary or a list of numbers: nothing in it is a setting."""
    held, items = mapping(value), listing(value)
    if held is not None and len(held) > 1000:
        return all(isinstance(one, int | float) for one in held.values())
    return items is not None and len(items) > 1000 and all(isinstance(one, int | float | str) for one in items)
