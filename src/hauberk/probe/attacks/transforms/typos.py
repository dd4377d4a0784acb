"""Neighbouring letters swapped, doubled or left out in about one word of two."""

import re
from random import Random

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise, Script, any_number, dice

_WORD = re.compile(r"[A-Za-z]{4,}")


def _slip(word: str, rng: Random) -> str:
    at = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 1:
        return word[:at] + word[at] + word[at:]
    return word[:at] + word[at + 1 :] if kind == 2 else word


def _encode(text: str, key: str) -> str:
    rng = dice(key)
    return _WORD.sub(lambda found: _slip(found[0], rng), text)


DISGUISE = Disguise(
    name="typos",
    title=Text(en="Typing errors", zh="人为错别字（英文）"),
    source="Hughes et al. 2024, Best-of-N Jailbreaking (character noise)",
    encode=_encode,
    key=any_number,
    growth=1.1,
    script=Script.LATIN,
)
