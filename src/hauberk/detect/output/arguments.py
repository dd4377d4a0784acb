"""The arguments of a tool call, read as the hostile JSON they may be."""

import json
import math
from typing import Any, cast

import msgspec

MAX_ARGUMENTS = 1 << 20  # characters
MAX_LEAVES = 5_000
MAX_DEPTH = 64


class Leaf(msgspec.Struct, frozen=True):
    """One text or number among the arguments. `where` is its path, `name` the nearest key."""

    where: str
    name: str
    text: str
    fixed: bool = False  # the tool's schema lists the values that it may have


class Arguments(msgspec.Struct, frozen=True):
    """What was read. `problem`: why it is no valid JSON object; `unread`: what was not looked at."""

    value: object = None
    leaves: tuple[Leaf, ...] = ()
    problem: str = ""
    unread: str = ""


class _Bad(ValueError):
    """Not JSON, or JSON that two readers read in two ways."""


def read_arguments(text: str, schema: dict[str, object]) -> Arguments:
    """The arguments in `text`; none at all are an empty object, as models write it."""
    if not text.strip():
        return Arguments(value={})
    if len(text) > MAX_ARGUMENTS:
        return Arguments(unread=f"the arguments are longer than {MAX_ARGUMENTS} characters")
    try:
        value: Any = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse, parse_int=_integer, parse_float=_float)
    except RecursionError:
        return Arguments(unread="the arguments are nested too deep")
    except ValueError as error:
        twice = str(error) if isinstance(error, _Bad) else "the arguments are no JSON"
        return Arguments(problem=twice, leaves=(Leaf("/", "", text),))
    leaves: list[Leaf] = []
    whole = _walk(value, "", "", schema, leaves, 0)
    return Arguments(
        value,
        tuple(leaves),
        "" if isinstance(value, dict) else "the arguments are no JSON object",
        "" if whole else "the arguments are nested too deep or too many",
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _Bad("the arguments hold a key twice")
    return made


def _refuse(_name: str) -> Any:
    raise _Bad("the arguments hold NaN or Infinity")


def _integer(digits: str) -> int:
    if len(digits) > 400:
        raise _Bad("the arguments hold an absurd number")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _Bad("the arguments hold an absurd number")
    return number


def _written(value: str | float) -> str:
    """A number as people write it: 12500.0 is 12500."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)


def _walk(value: Any, where: str, name: str, schema: object, leaves: list[Leaf], depth: int) -> bool:
    """Notes the texts and numbers below `value`. Returns whether all were reached."""
    if depth > MAX_DEPTH or len(leaves) >= MAX_LEAVES:
        return False
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return all(_walk(v, f"{where}/{k[:60]}", k[:60], _below(schema, k), leaves, depth + 1) for k, v in items)
    if isinstance(value, list):
        items = enumerate(cast("list[Any]", value))
        return all(_walk(v, f"{where}/{n}", name, _below(schema, None), leaves, depth + 1) for n, v in items)
    if isinstance(value, str) or (isinstance(value, int | float) and not isinstance(value, bool)):
        fixed = isinstance(schema, dict) and ("enum" in schema or "const" in schema)
        leaves.append(Leaf(where or "/", name, _written(value), fixed))
    return True


def _below(schema: object, key: str | None) -> object:
    """The schema of a property, or of a list's items; None when it is not plain to see."""
    if not isinstance(schema, dict):
        return None
    rules = cast("dict[str, Any]", schema)
    if key is None:
        return rules.get("items")
    properties: Any = rules.get("properties")
    return cast("dict[str, Any]", properties).get(key) if isinstance(properties, dict) else None
