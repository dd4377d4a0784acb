"""Letters of other alphabets that look the same."""

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise, Script

_TO = str.maketrans("aceopsxyiABCEHKMOPTXI", "асеорѕхуіАВСЕНКМОРТХІ")
_FROM = {odd: plain for plain, odd in _TO.items()}


def _encode(text: str, _: str) -> str:
    return text.translate(_TO)


def _decode(text: str, _: str) -> str:
    return text.translate(_FROM)


DISGUISE = Disguise(
    name="homoglyphs",
    title=Text(en="Lookalike letters", zh="形近字母"),
    source="Unicode Technical Standard 39, confusables",
    encode=_encode,
    decode=_decode,
    script=Script.LATIN,
)
