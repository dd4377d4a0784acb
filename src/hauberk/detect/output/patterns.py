"""RE2, for the readers of answers: linear in hostile text whatever the pattern."""

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
