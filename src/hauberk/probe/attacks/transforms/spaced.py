"""A space between all characters."""

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise, Script


def _encode(text: str, _: str) -> str:
    return "   ".join(" ".join(word) for word in text.split(" "))


def _decode(text: str, _: str) -> str:
    return " ".join(word[::2] for word in text.split("   "))


DISGUISE = Disguise(
    name="spaced",
    title=Text(en="Letters spaced out", zh="逐字加空格"),
    source="Robust Intelligence 2024, on Prompt-Guard: characters spaced out",
    encode=_encode,
    decode=_decode,
    growth=2.3,
    script=Script.LATIN,
)
