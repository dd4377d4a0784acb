"""Simplified characters in their traditional forms."""

from functools import cache
from importlib.resources import files

import msgspec

from hauberk.probe.attacks.attack import Family, Text
from hauberk.probe.attacks.disguise import Disguise, Script

_SAME = "出面谷"  # their usual traditional form is themselves


@cache
def _table() -> tuple[dict[int, str], dict[int, str]]:
    path = files("hauberk.rules") / "data" / "normalise" / "simplified.json"
    pairs = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    back = {ord(old): new for old, new in zip(pairs["from"], pairs["to"], strict=True)}
    there: dict[int, str] = {}
    for old, new in zip(pairs["from"], pairs["to"], strict=True):
        if new not in _SAME:
            there.setdefault(ord(new), old)
    return there, back


def _encode(text: str, _: str) -> str:
    return text.translate(_table()[0])


def _decode(text: str, _: str) -> str:
    return text.translate(_table()[1])


DISGUISE = Disguise(
    name="traditional",
    title=Text(en="Traditional characters", zh="繁体与异体字"),
    source="Unicode Han Database, kTraditionalVariant (table of the normaliser)",
    encode=_encode,
    decode=_decode,
    family=Family.CHINESE,
    script=Script.HAN,
)
