"""Chinese by sound: characters as syllables without tones, and words by what they sound like."""

import math
from functools import cache

from hauberk.detect.normalise.tables import table

_BASE = 0xE000  # each syllable is one character of the private use area, so that a text by sound is as long as its text
_LONGEST = 4
_PARTICLES = frozenset("的你我是不在请把")


@cache
def _syllables() -> dict[str, str]:
    return {name: chr(_BASE + number) for number, name in enumerate(sorted(table("pinyin")["syllables"]))}


@cache
def syllable_names() -> frozenset[str]:
    """Every syllable, without tones; ü is v."""
    return frozenset(_syllables()) | {"lue", "nue"}


@cache
def sounds() -> dict[int, str]:
    """What each character sounds like, for `str.translate`."""
    marks = _syllables()
    return {ord(c): marks[name] for name, chars in table("pinyin")["syllables"].items() for c in chars}


def spoken(syllables: list[str]) -> str:
    """Syllables as marks; `lue` and `nue` are spelt `lve` and `nve` in the table."""
    marks = _syllables()
    return "".join(marks.get(name) or marks.get(name.replace("ue", "ve"), "") for name in syllables)


@cache
def common_pairs() -> frozenset[str]:
    """Two characters that stand side by side in common words."""
    return frozenset(word[i : i + 2] for word in table("pinyin")["words"].split(" ") for i in range(len(word) - 1))


@cache
def words_by_sound() -> dict[str, tuple[str, float]]:
    """The commonest word, or character, of each sound, and what it costs to read it so: rare words much."""
    data = table("pinyin")
    marks = _syllables()
    found: dict[str, tuple[str, float]] = {}
    for rank, word in enumerate(data["words"].split(" ")):
        odd = data["readings"].get(word)
        sound = "".join(marks.get(s, "?") for s in odd.split(" ")) if odd else word.translate(sounds())
        found.setdefault(sound, (word, math.log(rank + 60)))
    for name, chars in data["syllables"].items():
        found.setdefault(marks[name], (chars[0], 3.0 if chars[0] in _PARTICLES else 8.0))
    return found


def reading(marks: str) -> tuple[str, int]:
    """`marks` as characters, commonest words first, and how many of the syllables belong to words of two and more."""
    words = words_by_sound()
    best: list[tuple[float, int, str]] = [(0.0, 0, "")]
    for end in range(1, len(marks) + 1):
        choices = [
            (best[start][0] + found[1], start, found[0])
            for start in range(max(0, end - _LONGEST), end)
            if (found := words.get(marks[start:end])) is not None
        ]
        best.append(min(choices, default=(best[end - 1][0] + 12.0, end - 1, "")))
    out: list[str] = []
    end = len(marks)
    while end:
        _, end, word = best[end]
        out.append(word)
    return "".join(reversed(out)), sum(len(word) for word in out if len(word) > 1 or word in _PARTICLES)
