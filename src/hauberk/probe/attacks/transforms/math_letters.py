"""Letters of a mathematical alphabet."""

from random import Random

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise, Script

_LOW = "abcdefghijklmnopqrstuvwxyz"
_STYLES = {"bold": 0x1D400, "bold italic": 0x1D468, "bold script": 0x1D4D0, "bold fraktur": 0x1D56C, "monospace": 0x1D670}


def _key(rng: Random) -> str:
    return rng.choice(list(_STYLES))


def _table(key: str) -> dict[int, int]:
    start = _STYLES[key]
    return {ord(c): start + i for i, c in enumerate(_LOW.upper() + _LOW)}


def _encode(text: str, key: str) -> str:
    return text.translate(_table(key))


def _decode(text: str, key: str) -> str:
    return text.translate({styled: plain for plain, styled in _table(key).items()})


DISGUISE = Disguise(
    name="math-letters",
    title=Text(en="Mathematical letters", zh="数学字母"),
    source="Unicode Standard, Mathematical Alphanumeric Symbols",
    encode=_encode,
    decode=_decode,
    key=_key,
    script=Script.LATIN,
)
