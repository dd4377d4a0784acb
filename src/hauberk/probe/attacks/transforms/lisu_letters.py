"""Capitals of the Lisu script, which look like Latin ones."""

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise, Script

_TO = str.maketrans("ABCDEFGHIJKLMNOPRSTUVWXYZ", "ꓮꓐꓚꓓꓰꓝꓖꓧꓲꓙꓗꓡꓟꓠꓳꓑꓣꓢꓔꓴꓦꓪꓫꓬꓜ")
_FROM = {odd: plain for plain, odd in _TO.items()}


def _encode(text: str, _: str) -> str:
    return text.upper().translate(_TO)


def _decode(text: str, _: str) -> str:
    return text.translate(_FROM).lower()


DISGUISE = Disguise(
    name="lisu-letters",
    title=Text(en="Lisu lookalikes", zh="傈僳文形近字母"),
    source="Unicode Technical Standard 39, confusables; Unicode Standard, Lisu",
    encode=_encode,
    decode=_decode,
    script=Script.LATIN,
)
