"""Paths into JSON: `data.items[0].text`, `choices[*].text`, `["odd key"].x`, with or without `$.` in front."""

import re
from typing import Any, cast

import msgspec

MOST_FOUND = 10_000  # values of one path
_STEP = re.compile(r'\.?([^.\[\]"\s]+)|\[(\d{1,9})\]|\[(\*)\]|\["([^"\\]*)"\]')


class BadPath(ValueError):
    """It is no path; the message says where it stops to be one."""


class JsonPath:
    """One path, read once. The empty path is the whole value."""

    def __init__(self, text: str) -> None:
        """Raises BadPath."""
        self.text = text
        rest = text.strip().removeprefix("$")
        self._steps: list[str | int | None] = []
        while rest:
            found = _STEP.match(rest)
            if found is None:
                raise BadPath(f"{text!r} is no path from {rest[:20]!r} on; write for example data.items[0].text or steps[*].name")
            key, index, every, quoted = found.groups()
            self._steps.append(int(index) if index is not None else None if every else key if key is not None else quoted)
            rest = rest[found.end() :]

    def find(self, value: Any) -> list[Any]:
        """Every value that the path leads to, in order."""
        found: list[Any] = [value]
        for step in self._steps:
            found = [inner for each in found for inner in _into(each, step)][:MOST_FOUND]
        return found

    def first(self, value: Any) -> Any:
        """The first value that the path leads to; None when there is none."""
        found = self.find(value)
        return found[0] if found else None

    def text_in(self, value: Any) -> str | None:
        """The texts that the path leads to, joined; None when it leads nowhere, or to nothing but null."""
        found = [each for each in self.find(value) if each is not None]
        return "".join(as_text(each) for each in found) if found else None


def as_text(value: Any) -> str:
    """A string as it is, anything else as JSON; nothing for null."""
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _into(value: Any, step: str | int | None) -> list[Any]:
    if isinstance(step, str):
        known = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
        return [known[step]] if step in known else []
    if not isinstance(value, list):
        return []
    items = cast("list[Any]", value)
    if step is None:
        return items
    return [items[step]] if step < len(items) else []
