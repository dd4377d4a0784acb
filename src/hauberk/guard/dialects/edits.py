"""Replaces texts of a decoded body by their paths."""

from collections.abc import Iterable
from typing import Any

import msgspec

from hauberk.guard.exchange import Edit


def apply(body: dict[str, Any], edits: Iterable[Edit]) -> None:
    """Puts each edit's text in its place, `body` changed in place.

    Where an object or a list stands (a tool's input), the text is its JSON; it is emptied when the text no longer is.
    Raises LookupError when a path leads nowhere: the edit belongs to another body.
    """
    for edit in sorted(edits, key=lambda edit: -len(edit.path)):  # what lies inside something before that is emptied
        holder: Any = body
        for step in edit.path[:-1]:
            holder = holder[step]
        last = edit.path[-1]
        holder[last] = _put(holder[last], edit.text)


def _put(old: Any, text: str) -> Any:
    if not isinstance(old, dict | list):
        return text
    kind: type[Any] = dict if isinstance(old, dict) else list
    try:
        new = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError):
        return kind()
    return new if type(new) is kind else kind()
