"""Letters as regional indicators, the halves of flags."""

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise, Script

_TO = {ord("a") + i: f"{chr(0x1F1E6 + i)} " for i in range(26)}
_FROM = {0x1F1E6 + i: chr(ord("a") + i) for i in range(26)}


def _encode(text: str, _: str) -> str:
    return " ".join(word.translate(_TO) for word in text.lower().split())


def _decode(text: str, _: str) -> str:
    return " ".join(word.replace(" ", "") for word in text.translate(_FROM).split("  "))


DISGUISE = Disguise(
    name="regional",
    title=Text(en="Regional indicators", zh="区域指示符号字母"),
    source="Unicode Standard, Enclosed Alphanumeric Supplement",
    encode=_encode,
    decode=_decode,
    growth=2.2,
    script=Script.LATIN,
)
