"""Capitals in black squares, as emoji have them."""

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise, Script

_LOW = "abcdefghijklmnopqrstuvwxyz"
_TO = {ord(c): f"{chr(0x1F170 + i)}\ufe0f" for i, c in enumerate(_LOW)}
_FROM = {0x1F170 + i: c for i, c in enumerate(_LOW)} | {0xFE0F: None}


def _encode(text: str, _: str) -> str:
    return text.lower().translate(_TO)


def _decode(text: str, _: str) -> str:
    return text.translate(_FROM)


DISGUISE = Disguise(
    name="emoji-letters",
    title=Text(en="Letters as emoji", zh="表情符号字母"),
    source="Unicode Standard, Enclosed Alphanumeric Supplement; emoji variation sequences (UTS 51)",
    encode=_encode,
    decode=_decode,
    growth=2,
    script=Script.LATIN,
)
