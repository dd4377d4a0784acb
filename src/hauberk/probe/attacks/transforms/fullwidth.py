"""Full-width forms of ASCII."""

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise, Script

_TO = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x20: 0x3000}
_FROM = {wide: code for code, wide in _TO.items()}


def _encode(text: str, _: str) -> str:
    return text.translate(_TO)


def _decode(text: str, _: str) -> str:
    return text.translate(_FROM)


DISGUISE = Disguise(
    name="fullwidth",
    title=Text(en="Full-width letters", zh="全角字母"),
    source="Unicode Standard, Halfwidth and Fullwidth Forms",
    encode=_encode,
    decode=_decode,
    script=Script.LATIN,
)
