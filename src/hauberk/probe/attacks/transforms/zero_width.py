"""Zero-width characters between all characters."""

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise, any_number, dice

_SIGNS = "\u200b\u200c\u200d\u2060"


def _encode(text: str, key: str) -> str:
    rng = dice(key)
    return "".join(c + rng.choice(_SIGNS) for c in text)


def _decode(text: str, _: str) -> str:
    return "".join(c for c in text if c not in _SIGNS)


DISGUISE = Disguise(
    name="zero-width",
    title=Text(en="Zero-width characters", zh="零宽字符"),
    source="Boucher et al. 2022, Bad Characters: Imperceptible NLP Attacks",
    encode=_encode,
    decode=_decode,
    key=any_number,
    growth=2,
)
