"""Digits and signs in place of letters."""

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise, Script

_TO = str.maketrans("aeiostbgAEIOSTBG", "4310578943105789")
_FROM = str.maketrans("43105789", "aeiostbg")


def _encode(text: str, _: str) -> str:
    return text.translate(_TO)


def _decode(text: str, _: str) -> str:
    return text.translate(_FROM)


DISGUISE = Disguise(
    name="leet",
    title=Text(en="Leetspeak", zh="黑客语（leet）"),
    source="Wei et al. 2023, Jailbroken",
    encode=_encode,
    decode=_decode,
    script=Script.LATIN,
)
