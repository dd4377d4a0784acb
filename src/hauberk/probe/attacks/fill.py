"""Puts a request into a carrier. One pass: what the request says is never read as a place to fill."""

import re
from collections.abc import Mapping

PLACES = ("request", "payload", "words", "task", "document", "text", "key")
_PLACE = re.compile("|".join(rf"\{{{name}\}}" for name in PLACES))


def fill(carrier: str, values: Mapping[str, str]) -> str:
    """`carrier` with each `{name}` of `values` replaced; other braces, JSON for one, stay as they are."""
    return _PLACE.sub(lambda found: values.get(found[0][1:-1], found[0]), carrier)


def places(carrier: str) -> list[str]:
    """The names of the places of `carrier`, in order."""
    return [found[0][1:-1] for found in _PLACE.finditer(carrier)]
