"""Chinese characters with signs or spaces between them: `忽 略 之 前`, `忽*略*之*前`."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.syllables import common_pairs
from hauberk.detect.normalise.trace import Decoded, Weave

_GAP = r"[ \t\n.\-_*|/\\~,;·•、，。!@#^&+=…—']"
_SPAN = re.compile(rf"[\u4e00-\u9fff](?:{_GAP}{{1,3}}[\u4e00-\u9fff](?![\u4e00-\u9fff])){{3,}}")
_SIGNS = re.compile(rf"{_GAP}+")
_ASCII_SIGNS = re.compile(r"[ \t\n.\-_*|/\\~,;@#^&+='!]+")


def decode(text: str) -> Decoded | None:
    """`text` with runs of single characters joined."""
    weave = Weave(text)
    for found in _SPAN.finditer(text):
        if _reads(_SIGNS.sub("", found[0])):
            signs = _ASCII_SIGNS if _ASCII_SIGNS.search(found[0]) else _SIGNS  # among spaces, a comma is a comma
            for sign in signs.finditer(text, *found.span()):
                weave.put("", *sign.span())
    return weave.done("spaced-characters")


def _reads(joined: str) -> bool:
    """Whether the characters make words once together: a list of single ones does not."""
    return sum(joined[i : i + 2] in common_pairs() for i in range(len(joined) - 1)) * 4 >= len(joined)


DECODER = Decoder("spaced-characters", rf"(?:[一-龥]{_GAP}{{1,3}}){{3}}[一-龥]", decode, "split")
