"""One sign after every character, spaces and punctuation included: `i g n o r e   a l l`, `忽-略-之-前-，`. Undone exactly."""

import re
from functools import cache

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.language import vocabulary_share
from hauberk.detect.normalise.syllables import common_pairs
from hauberk.detect.normalise.trace import Decoded, Weave

_SIGNS = r"[ \t\n\-_.*|/\\~,;:+^#·•—–'、，。]"
_GATED = [re.escape(sign) for sign in " -_.*|/\\~,;:+^#·•，"]
_LEAST = 7  # characters
_LONG = 12  # so many Chinese characters stand apart in no list
_LETTER = "[A-Za-z\u4e00-\u9fff]"
_FIRST = re.compile(rf"(?:^|(?<=[\W_])){_LETTER}({_SIGNS}){_LETTER}\1{_LETTER}(?=\1)")
_HAN = re.compile("[\u4e00-\u9fff]")


@cache
def _span(sign: str) -> re.Pattern[str]:
    return re.compile(f"(?:.{re.escape(sign)}){{{_LEAST - 1},}}(?:.(?!\\w))?", re.DOTALL)


def decode(text: str) -> Decoded | None:
    """`text` with every second character of such runs taken out, where words are read then."""
    weave = Weave(text)
    for sign in dict.fromkeys(found[1] for found in _FIRST.finditer(text)):
        for found in _span(sign).finditer(text):
            start, end = found.span()
            if start and not text[start - 1].isspace():
                start += 2
            if _reads(text[start:end:2]):
                for place in range(start + 1, end - ((end - start) % 2 == 0), 2):
                    weave.put("", place, place + 1)
        if weave.count:
            break
    return weave.done("interleaved")


def _reads(said: str) -> bool:
    """Whether these are words: a list of single letters or characters makes none."""
    if len(said) < _LEAST:
        return False
    han = len(_HAN.findall(said))
    if han * 4 > len(said):
        pairs = sum(said[i : i + 2] in common_pairs() for i in range(len(said) - 1))
        return pairs * (8 if han >= _LONG else 4) >= han
    return sum(map(str.isalpha, said)) * 2 > len(said) and vocabulary_share(said) >= 0.5


DECODER = Decoder("interleaved", rf"(?:{'|'.join(f'(?:{_LETTER}{sign}){{4}}' for sign in _GATED)})", decode, "split")
