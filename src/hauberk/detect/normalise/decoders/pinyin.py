"""Chinese written in pinyin, spaced or not, with or without tones, read as the likeliest characters."""

import re
import unicodedata
from functools import cache, lru_cache

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.syllables import reading, spoken, syllable_names
from hauberk.detect.normalise.tables import english_words
from hauberk.detect.normalise.trace import Decoded, Weave

_VOWELS = "aeiouvüāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ"
_TOKEN = re.compile(r"[^\W\d_\u0370-\U0010ffff]+")
_GAP = re.compile(r"[1-5]?(?:[ '\-,，。]{1,2})?")
_MOST = 40  # letters of one word
_LEAST = 5  # syllables
_LONGEST = 6
_COVERED = 0.6


def decode(text: str) -> Decoded | None:
    """`text` with stretches of pinyin replaced by characters."""
    weave = Weave(text)
    for start, end in _runs(text):
        said = _characters(text[start:end])
        if said:
            weave.put(said, start, end)
    return weave.done("pinyin")


def _runs(text: str) -> list[tuple[int, int]]:
    """The longest stretches whose every word divides into syllables."""
    runs: list[tuple[int, int]] = []
    joined = False
    for token in _TOKEN.finditer(text):
        start, end = token.span()
        if end - start > _MOST or not _syllables(token[0]):
            joined = False
        elif joined and _GAP.fullmatch(text, runs[-1][1], start):
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
            joined = True
    return runs


def _plain(token: str) -> str:
    split = unicodedata.normalize("NFD", token.lower().replace("ü", "v"))
    return "".join(c for c in split if c.isascii())


@cache
def _names() -> frozenset[str]:
    return syllable_names()


@lru_cache(4096)
def _syllables(token: str) -> list[str]:
    """`token` divided into the fewest syllables; empty when it cannot be."""
    plain = _plain(token)
    best: list[list[str] | None] = [[]]
    for end in range(1, len(plain) + 1):
        options = [
            [*before, plain[start:end]]
            for start in range(max(0, end - _LONGEST), end)
            if (before := best[start]) is not None and plain[start:end] in _names()
        ]
        best.append(min(options, key=len) if options else None)
    return best[-1] or []


def _characters(run: str) -> str:
    if len(run) < _LEAST * 2:
        return ""
    tokens = _TOKEN.findall(run)
    syllables = [s for token in tokens for s in _syllables(token)]
    english = sum(len(t) for t in tokens if len(t) > 1 and t.lower() in english_words())
    names = sum(t[0].isupper() and not t.isupper() for t in tokens)
    if len(syllables) < _LEAST or english * 2 > sum(map(len, tokens)) or names * 2 > len(tokens):
        return ""
    said, in_words = reading(spoken(syllables))
    return said if in_words >= _COVERED * len(syllables) else ""


_A, _E, _I, _O, _U = "[aāáǎà]", "[eēéěè]", "[iīíǐì]", "[oōóǒò]", "[uūúǔùvüǖǘǚǜ]"
_FINAL = f"(?:[iu]?{_A}(?:[io]|ng?)?|i?{_A}o|[iuvü]?{_E}(?:i|ng?|r)?|{_I}(?:ng?|u)?|[iu]?{_O}(?:u|ng)?|{_U}(?:[in]|o)?|i{_U}|u{_I})"
_ONE = f"(?:[bpmfdtnlgkhjqxzcsryw]|zh|ch|sh)?{_FINAL}[1-5]?"
_MARK = (
    r"(?:\b(?:zh|x[iuü]|q(?:i|uan|u\b|ü)|(?:[dtnlgkhzcs]|[zcs]h)uo|[jlnx]ia(?:ng|o)|g?uang)|[āǎīǐūǔüǖǘǚǜ])"  # seldom met in English
)
_REST = f"[a-z1-5{_VOWELS[6:]}]"
_SPACED = rf"\b(?:{_ONE}[ '\-,，]{{1,2}}){{4}}{_ONE}\b|\b(?:{_ONE}){{5}}\b"
_MARKED = rf"{_MARK}{_REST}*(?:[ '\-,，]+{_REST}+){{0,4}}[ '\-,，]+{_REST}*{_MARK}"
DECODER = Decoder("pinyin", f"(?i){_SPACED}|{_MARKED}", decode)
