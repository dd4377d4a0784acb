"""Capitals at random."""

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise, Script, any_number, dice


def _encode(text: str, key: str) -> str:
    rng = dice(key)
    return "".join(c.upper() if c.isascii() and rng.random() < 0.5 else c.lower() if c.isascii() else c for c in text)


def _decode(text: str, _: str) -> str:
    return text.lower()


DISGUISE = Disguise(
    name="alternating-case",
    title=Text(en="Capitals at random", zh="随机大小写"),
    source="Hughes et al. 2024, Best-of-N Jailbreaking (random capitalisation)",
    encode=_encode,
    decode=_decode,
    key=any_number,
    script=Script.LATIN,
)
