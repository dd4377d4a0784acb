"""Text written from its end to its beginning, found by common words in reverse."""

import re
from functools import cache

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.language import known_share
from hauberk.detect.normalise.tables import table
from hauberk.detect.normalise.trace import Decoded, Weave

_ENGLISH = (
    r"\b(?:eht|dna|rof|htiw|taht|siht|woh|ruoy|uoy|morf|tuoba|etirw|ekam|fo|etaerc|poleved|edivorp|nialpxe|lla|erongi|laever|"
    r"snoitcurtsni|metsys|tpmorp|suoiverp|selur|esu|gnisu|rieht|ot|ni|ro|owh|tahw|evig|llet)\b"
)
_CHINESE = (
    "略忽|视无|令指|词示提|统系|则规|制限|前之|露泄|演扮|狱越|何如|作制|诉告|么什|么怎|样怎|们我|以可|为因|果如|道知|题问|法方"
)
_CLAUSE = re.compile(r"[^\n\"“”「」]{6,}")
_HAN = re.compile("[\u4e00-\u9fff]")


def decode(text: str) -> Decoded | None:
    """`text` with the lines or quotations turned round that only so are language."""
    weave = Weave(text)
    for found in _CLAUSE.finditer(text):
        turned = found[0][::-1]
        better = _chinese(turned) if _HAN.search(turned) else known_share(turned) > max(0.55, known_share(found[0]) + 0.25)
        if better:
            weave.put(turned, *found.span())
    return weave.done("reversed")


@cache
def _words() -> frozenset[str]:
    return frozenset(table("pinyin")["words"].split(" "))


def _chinese(turned: str) -> bool:
    forward = sum(turned[i : i + 2] in _words() for i in range(len(turned) - 1))
    backward = sum(turned[i + 1] + turned[i] in _words() for i in range(len(turned) - 1))
    return forward > 2 * backward + 1


DECODER = Decoder("reversed", rf"(?i)(?:{_ENGLISH}).*(?:{_ENGLISH})|(?:{_CHINESE})", decode)
