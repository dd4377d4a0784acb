"""A small slot grammar: sentence patterns with ``{slots}``, expanded deterministically."""

import hashlib
import random
import re
from collections.abc import Mapping, Sequence

_SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")
DEPTH = 4
"""Slots may hold slots, this deep."""


def _choices(seed: str) -> random.Random:
    return random.Random(hashlib.blake2b(seed.encode(), digest_size=8).digest())  # noqa: S311 - reproducible, not secret


def fill(pattern: str, slots: Mapping[str, Sequence[str]], chooser: random.Random) -> str:
    """A pattern with each known slot filled; braces that name no slot stay as they are."""
    for _ in range(DEPTH):
        filled = _SLOT.sub(lambda found: chooser.choice(slots[found[1]]) if found[1] in slots else found[0], pattern)
        if filled == pattern:
            break
        pattern = filled
    return pattern


def expand(pattern: str, slots: Mapping[str, Sequence[str]], count: int, seed: str) -> list[str]:
    """At most ``count`` different fillings of a pattern, the same for the same seed."""
    chooser = _choices(f"{seed}\0{pattern}")
    found: dict[str, None] = {}
    for _ in range(count * 4):
        found.setdefault(fill(pattern, slots, chooser))
        if len(found) == count:
            break
    return list(found)


def pick(items: Sequence[str], count: int, seed: str) -> list[str]:
    """``count`` different items (all, if there are fewer), the same for the same seed."""
    return _choices(seed).sample(list(items), min(count, len(items)))
