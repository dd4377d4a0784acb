"""Accents on the vowels."""

import unicodedata

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise, Script

_TO = str.maketrans("aeiouAEIOUncsNCS", "áèîõüÁÈÎÕÜñçšÑÇŠ")


def _encode(text: str, _: str) -> str:
    return text.translate(_TO)


def _decode(text: str, _: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


DISGUISE = Disguise(
    name="diacritics",
    title=Text(en="Accented letters", zh="加注音符的字母"),
    source="garak and PyRIT have it as a converter; Unicode Standard, Latin-1 Supplement",
    encode=_encode,
    decode=_decode,
    script=Script.LATIN,
)
