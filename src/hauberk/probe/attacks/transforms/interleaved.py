"""A sign between all characters of a Chinese text."""

from random import Random

from hauberk.probe.attacks.attack import Family, Text
from hauberk.probe.attacks.disguise import Disguise, Script


def _key(rng: Random) -> str:
    return rng.choice("·＊～｜☆＃＿")


def _encode(text: str, key: str) -> str:
    return key.join(text)


def _decode(text: str, _: str) -> str:
    return text[::2]


DISGUISE = Disguise(
    name="interleaved",
    title=Text(en="Signs between the characters", zh="符号间隔"),
    source="Chinese internet evasions",
    encode=_encode,
    decode=_decode,
    family=Family.CHINESE,
    key=_key,
    growth=2,
    script=Script.HAN,
)
