"""What the models tell apart, in the order of their outputs."""

from enum import IntEnum


class Voice(IntEnum):
    """Whose words a model is told it reads."""

    USER = 0  # the user, or the application itself
    FOREIGN = 1  # a tool's result, a retrieved document
    MODEL = 2  # the model's own answer


KINDS = ("injection-direct", "injection-indirect", "goal-hijack", "prompt-leak", "jailbreak")
"""Kinds of attack."""

_RISKS = {1: 8, 2: 9, 3: 5, 4: 7, 5: 2}
CATEGORIES = tuple(f"A.{part}-{letter}" for part, count in _RISKS.items() for letter in "abcdefghi"[:count])
"""The 31 risks of TC260-003 (2024), annex A, as the taxonomy writes them."""

OUTPUTS = 2 + len(KINDS) + len(CATEGORIES)
"""Logits of a model: attack, harm, kinds, categories."""
KIND_AT = 2
CATEGORY_AT = KIND_AT + len(KINDS)
