"""Builds plain values out of YAML events, within bounds, and notes the tags that name code."""

import re
from typing import Any

import yaml

from hauberk.assets.budget import Budget
from hauberk.assets.errors import ReadError
from hauberk.assets.quoting import quote
from hauberk.core import Fact, GapReason

MAX_DEPTH = 200
MAX_EVENTS = 2_000_000
MAX_EXPANDED = 500_000
_PYTHON = "tag:yaml.org,2002:python/"
_CODE_TAG = re.compile(r"^(?:tag:yaml\.org,2002:)?!?(?:python|ruby|java|perl|php)/")
_PLAIN: dict[str, bool | None] = {"true": True, "True": True, "TRUE": True, "yes": True, "on": True, "false": False, "False": False,
          "FALSE": False, "no": False, "off": False, "null": None, "Null": None, "~": None, "": None}  # fmt: skip
_INTEGER = re.compile(r"[-+]?\d{1,30}")


class _Open:
    """A mapping or a list that is being filled; `size` counts its values with every alias spelled out."""

    __slots__ = ("anchor", "key", "keyed", "size", "value")

    def __init__(self, value: "dict[str, object] | list[object]", anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.key = ""
        self.keyed = False
        self.size = 1


class Builder:
    """Takes events one by one; `documents` and `facts` hold the result."""

    def __init__(self, budget: Budget) -> None:
        self.documents: list[object] = []
        self.facts: list[Fact] = []
        self._budget = budget
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[object, int]] = {}
        self._events = 0
        self._bombed = False

    def take(self, event: Any) -> None:
        """One event. Raises ReadError past the bounds."""
        self._events += 1
        self._budget.tick(1024)
        if self._events > MAX_EVENTS:
            raise ReadError(GapReason.TOO_LARGE, f"more than {MAX_EVENTS} values in one YAML file")
        if isinstance(event, yaml.DocumentStartEvent):
            self._anchors.clear()
        elif isinstance(event, yaml.ScalarEvent):
            self._tag(event, event.value)
            self._add(_scalar(event), 1, event.anchor)
        elif isinstance(event, yaml.AliasEvent):
            value, size = self._anchors.get(event.anchor or "", (None, 1))
            self._expanded(size, event)
            self._add(None if self._bombed else value, size, None)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._tag(event, "")
            if len(self._stack) >= MAX_DEPTH:
                raise ReadError(GapReason.TOO_DEEP, f"YAML nested more than {MAX_DEPTH} deep", check="yaml.too-deep")
            self._stack.append(_Open({} if isinstance(event, yaml.MappingStartEvent) else [], event.anchor))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            done = self._stack.pop()
            self._add(done.value, done.size, done.anchor)

    def _add(self, value: object, size: int, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = (value, size)
        if not self._stack:
            self.documents.append(value)
            return
        top = self._stack[-1]
        top.size += size
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.keyed:
            key = top.key if top.key not in top.value else f"{top.key} "  # a second value for a key is looked at too
            top.value[key] = value
            top.keyed = False
        else:
            top.key = value if isinstance(value, str) else str(value)[:200] if not isinstance(value, dict | list) else "?"
            top.keyed = True

    def _expanded(self, size: int, event: Any) -> None:
        whole = sum(level.size for level in self._stack) + size
        if whole > MAX_EXPANDED and not self._bombed:
            self._bombed = True
            note = f"aliases that spell out to more than {MAX_EXPANDED} values"
            self.facts.append(Fact("yaml.alias-bomb", note, where=_line(event), quote=quote(event.anchor or "")))

    def _tag(self, event: Any, value: str) -> None:
        tag = event.tag
        if not tag or not _CODE_TAG.match(tag):
            return
        kind, _, name = tag.removeprefix(_PYTHON).partition(":")
        if tag.startswith(_PYTHON) and kind in _HARMLESS:
            return
        note = f"the tag {quote(tag, 100)} makes a loader build an object"
        attrs: dict[str, str | int | float | bool] = {"module": "", "name": name or value, "how": kind}
        self.facts.append(Fact("yaml.tag", note, where=_line(event), quote=quote(tag), attrs=attrs))


# Tags that only say which of Python's plain types a value is.
_HARMLESS = frozenset(
    {"tuple", "none", "bool", "str", "unicode", "int", "long", "float", "complex", "list", "dict", "bytes"}
)  # fmt: skip


def _scalar(event: Any) -> object:
    text: str = event.value
    if event.style or not event.implicit[0]:
        return text
    if text in _PLAIN:
        return _PLAIN[text]
    return int(text) if _INTEGER.fullmatch(text) else text


def _line(event: Any) -> str:
    return f"line {event.start_mark.line + 1}"
