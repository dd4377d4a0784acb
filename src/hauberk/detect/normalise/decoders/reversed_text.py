"""Text written backwards, whole or a line or a quotation of it."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.language import vocabulary_share
from hauberk.detect.normalise.syllables import common_pairs
from hauberk.detect.normalise.trace import Decoded, Mark, Trace, Weave

_COMMON = (
    r"\b(?:eht|htiw|taht|siht|woh|ruoy|uoy|morf|tuoba|etirw|ekam|etaerc|poleved|edivorp|nialpxe|lla|erongi|laever|snoitcurtsni|"
    r"metsys|tpmorp|suoiverp|selur|esu|gnisu|rieht|tahw|evig|llet|evah|ton|esaelp|rewsna|txet|egassem|tuptuo|resu|woN|woh|lliw)\b"
)
_SHORT = r"\b(?:dna|rof|fo|ot|ni|ro|si|ti|sa|ym|em|ruo|ohw|od)\b"
# Common pairs of characters that are hardly ever met in this order.
_CHINESE = (
    "略忽|视无|令指|词示提|统系|则规|制限|前之|露泄|演扮|狱越|何如|作制|诉告|么什|么怎|样怎|们我|以可|为因|果如|道知|题问|法方|们你|容内|有所|出输|"
    "户用|求要|全安|在现|须必|复回|答回|始开|要不|的你|的我|是不|有没|个一|据数|息信|码密|译翻|文英|文全|文中|字文|式模|色角|助帮|何任|些这"
)
_CLAUSE = re.compile(r"[^\n\"“”「」]{6,}")
_HAN = re.compile("[\u4e00-\u9fff]")


def decode(text: str) -> Decoded | None:
    """`text` turned round where that alone makes it language: all of it when most is, else lines or quotations."""
    if _better(text):
        return _whole(text)
    spans = [found.span() for found in _CLAUSE.finditer(text) if _better(found[0])]
    weave = Weave(text)
    for start, end in spans:
        weave.put(text[start:end][::-1], start, end)
    return weave.done("reversed")


def _whole(text: str) -> Decoded:
    """All of `text` backwards, each line traced."""
    marks: list[Mark] = []
    parts: list[str] = []
    size, end = 0, len(text)
    for line in reversed(text.split("\n")):
        marks.append((size, end - len(line), end, False))
        parts.append(line[::-1])
        size += len(line) + 1
        end -= len(line) + 1
    return Decoded("reversed", "\n".join(parts), Trace(marks))


def _better(clause: str) -> bool:
    turned = clause[::-1]
    if len(_HAN.findall(clause)) * 4 > len(clause):
        return _chinese(turned)
    share = vocabulary_share(turned)
    return share > 0.5 and share > vocabulary_share(clause) + 0.25


def _chinese(turned: str) -> bool:
    known = common_pairs()
    forward = sum(turned[i : i + 2] in known for i in range(len(turned) - 1))
    backward = sum(turned[i + 1] + turned[i] in known for i in range(len(turned) - 1))
    return forward > 2 * backward + 1


DECODER = Decoder("reversed", rf"{_COMMON}|{_SHORT}.*{_SHORT}.*{_SHORT}|(?:{_CHINESE})|^\s*[。？！；：，）」”][\p{{Han}}]", decode)
