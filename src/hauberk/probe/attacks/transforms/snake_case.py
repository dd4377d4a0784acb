"""Words joined by underscores, as an identifier."""

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise, Script


def _encode(text: str, _: str) -> str:
    return "_".join(text.split(" "))


def _decode(text: str, _: str) -> str:
    return text.replace("_", " ")


DISGUISE = Disguise(
    name="snake-case",
    title=Text(en="As an identifier", zh="下划线连写"),
    source="garak's encodings and PyRIT's converters have such; PEP 8 naming",
    encode=_encode,
    decode=_decode,
    script=Script.LATIN,
)
