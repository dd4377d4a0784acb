"""Near-duplicates: by the share of character 5-grams in common (Jaccard)."""

from collections.abc import Iterable

from hauberk.probe.learn.sample import Sample, plain

ALIKE = 0.95
SIZE = 5
LONGEST = 20_000
"""Characters that are compared."""


def shingles(text: str) -> frozenset[str]:
    """The character 5-grams of a text in its plain form."""
    bare = plain(text[:LONGEST])
    return frozenset(bare[at : at + SIZE] for at in range(max(1, len(bare) - SIZE + 1)))


def alike(one: frozenset[str], other: frozenset[str], share: float = ALIKE) -> bool:
    """Whether two texts have so large a share of their 5-grams in common."""
    if min(len(one), len(other)) < share * max(len(one), len(other)):
        return False
    both = len(one & other)
    return both >= share * (len(one) + len(other) - both)


class Seen:
    """What has been kept so far, attack by attack."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], list[frozenset[str]]] = {}

    def is_new(self, sample: Sample) -> bool:
        """Whether nothing like it was kept of its attack and voice; if so it is kept."""
        made = shingles(sample.text)
        kept = self._kept.setdefault((sample.attack, sample.voice), [])
        if any(alike(made, other) for other in kept):
            return False
        kept.append(made)
        return True

    def count(self, sample: Sample) -> int:
        """How many were kept of the sample's attack and voice."""
        return len(self._kept.get((sample.attack, sample.voice), ()))


def exactly(texts: Iterable[str]) -> frozenset[str]:
    """The plain forms of `texts`."""
    return frozenset(map(plain, texts))
