"""Stacks of combining marks on every letter."""

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise, any_number, dice

_MARKS = [chr(code) for code in range(0x0300, 0x0315)] + [chr(code) for code in range(0x0316, 0x0334)]


def _encode(text: str, key: str) -> str:
    rng = dice(key)
    return "".join(c + "".join(rng.choices(_MARKS, k=3)) if c.isalpha() else c for c in text)


def _decode(text: str, _: str) -> str:
    return "".join(c for c in text if not 0x300 <= ord(c) < 0x334)


DISGUISE = Disguise(
    name="zalgo",
    title=Text(en="Stacked accents", zh="叠加音标（zalgo）"),
    source="Unicode Standard, Combining Diacritical Marks",
    encode=_encode,
    decode=_decode,
    key=any_number,
    growth=4,
)
