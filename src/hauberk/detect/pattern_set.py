"""Many RE2 patterns in one automaton: which of them match costs one pass, however many there are."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any

MEMORY = 256 << 20  # bytes for an automaton, which is grown lazily


class PatternSet:
    """Patterns of RE2 by their number."""

    def __init__(self, patterns: Iterable[str], memory: int = MEMORY) -> None:
        """`memory`: the most bytes that the automaton may take. Raises re2.error on a pattern that RE2 refuses."""
        re2: Any = import_module("re2")  # which carries no types; imported when the first text is met
        options = re2.Options()
        options.log_errors = False
        options.max_mem = memory
        self._set = re2.Set.SearchSet(options)
        for pattern in patterns:
            self._set.Add(pattern)
        # In every answer, so that an automaton out of memory does not read as "nothing matches".
        self._all: int = self._set.Add("")
        self._set.Compile()

    def matching(self, data: bytes) -> list[int]:
        """The numbers of the patterns that match somewhere in `data`; all of them when that cannot be told."""
        found: list[int] = self._set.Match(data) or []
        return [number for number in found if number != self._all] if self._all in found else list(range(self._all))
