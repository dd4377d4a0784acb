"""A soft hyphen after every letter."""

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise


def _encode(text: str, _: str) -> str:
    return "".join(f"{c}\u00ad" if c.isalpha() else c for c in text)


def _decode(text: str, _: str) -> str:
    return text.replace("\u00ad", "")


DISGUISE = Disguise(
    name="soft-hyphens",
    title=Text(en="Soft hyphens", zh="软连字符"),
    source="Boucher et al. 2022, Bad Characters; Unicode Standard Annex 14",
    encode=_encode,
    decode=_decode,
    growth=2,
)
