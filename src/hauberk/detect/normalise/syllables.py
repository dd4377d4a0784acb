"""Characters of Chinese as syllables without tones, and the pairs that common words hold."""

from functools import cache

from hauberk.detect.normalise.tables import table

_BASE = 0xE000  # each syllable is one character of the private use area, so that a text by sound is as long as its text


@cache
def _syllables() -> dict[str, str]:
    return {name: chr(_BASE + number) for number, name in enumerate(sorted(table("pinyin")["syllables"]))}


@cache
def sounds() -> dict[int, str]:
    """What each character sounds like, for `str.translate`."""
    marks = _syllables()
    return {ord(c): marks[name] for name, chars in table("pinyin")["syllables"].items() for c in chars}


@cache
def common_pairs() -> frozenset[str]:
    """Two characters that stand side by side in common words."""
    return frozenset(word[i : i + 2] for word in table("pinyin")["words"].split(" ") for i in range(len(word) - 1))
