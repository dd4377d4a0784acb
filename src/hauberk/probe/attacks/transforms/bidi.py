"""Letters in reverse between a right-to-left override and its end: shown in order, stored backwards."""

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise


def _encode(text: str, _: str) -> str:
    return "\n".join(f"\u202e{line[::-1]}\u202c" for line in text.split("\n"))


def _decode(text: str, _: str) -> str:
    return "\n".join(line[1:-1][::-1] for line in text.split("\n"))


DISGUISE = Disguise(
    name="bidi",
    title=Text(en="Right-to-left override", zh="双向控制符反写"),
    source="Boucher and Anderson 2021, Trojan Source; Unicode Standard Annex 9",
    encode=_encode,
    decode=_decode,
    growth=1.2,
    extra=2,
)
