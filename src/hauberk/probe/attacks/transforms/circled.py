"""Circled letters."""

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise, Script

_LOW = "abcdefghijklmnopqrstuvwxyz"
_TO = {ord(c): 0x24D0 + i for i, c in enumerate(_LOW)} | {ord(c): 0x24B6 + i for i, c in enumerate(_LOW.upper())}
_FROM = {odd: plain for plain, odd in _TO.items()}


def _encode(text: str, _: str) -> str:
    return text.translate(_TO)


def _decode(text: str, _: str) -> str:
    return text.translate(_FROM)


DISGUISE = Disguise(
    name="circled",
    title=Text(en="Circled letters", zh="带圈字母"),
    source="Unicode Standard, Enclosed Alphanumerics",
    encode=_encode,
    decode=_decode,
    script=Script.LATIN,
)
