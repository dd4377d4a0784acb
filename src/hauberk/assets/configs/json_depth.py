"""How deep a JSON text nests, found before it is parsed, so that no parser's recursion is put to the test."""

import re

from hauberk.assets.budget import Budget

_STRING = re.compile(rb'"(?:[^"\\]+|\\.)*+"', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SLICE = 1 << 20


def deeper_than(data: bytes, limit: int, budget: Budget) -> bool:
    """Whether the brackets of `data`, those in strings aside, ever nest deeper than `limit`. Stops where they do."""
    brackets = _STRING.sub(b"", data).translate(None, _NOT_BRACKETS)
    depth = 0
    for start in range(0, len(brackets), _SLICE):
        budget.check_time()
        for bracket in brackets[start : start + _SLICE]:
            if bracket in b"[{":
                depth += 1
                if depth > limit:
                    return True
            else:
                depth -= 1
    return False
