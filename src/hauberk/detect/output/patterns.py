"""RE2, for the readers of answers: linear in hostile text whatever the pattern."""

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import Any


@cache
def compiled(pattern: str) -> Any:
    """`pattern` compiled by RE2, for bytes. Raises `re2.error`, a ValueError's kin, on what RE2 does not take."""
    re2 = import_module("re2")
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)


class PatternSet:
    """Many patterns in one automaton: which of them match costs one pass, however many there are."""

    def __init__(self, patterns: Iterable[str]) -> None:
        re2 = import_module("re2")
        options = re2.Options()
        options.log_errors = False
        options.max_mem = 256 << 20  # grown lazily
        self._set = re2.Set.SearchSet(options)
        for pattern in patterns:
            self._set.Add(pattern)
        self._all = self._set.Add("")  # in every answer, so that an automaton out of memory does not read as "nothing matches"
        self._set.Compile()

    def matching(self, data: bytes) -> frozenset[int]:
        """The numbers of the patterns that match somewhere in `data`; all of them when that cannot be told."""
        found: list[int] = self._set.Match(data) or []
        return frozenset(found if self._all in found else range(self._all))


def refused() -> type[Exception]:
    """What RE2 raises on a pattern it does not take."""
    error: type[Exception] = import_module("re2").error
    return error


class Positions:
    """Characters of a text at byte offsets of its UTF-8, asked for in rising order. Linear over all questions."""

    def __init__(self, text: str, data: bytes) -> None:
        self._plain = text.isascii()
        self._data = data
        self._byte = self._char = 0

    def at(self, offset: int) -> int:
        """The character that begins at byte `offset`."""
        if self._plain:
            return offset
        if offset < self._byte:
            self._byte = self._char = 0
        self._char += len(self._data[self._byte : offset].decode("utf-8", "replace"))
        self._byte = offset
        return self._char
