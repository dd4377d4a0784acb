"""The inner letters of every word shuffled."""

import re

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise, Script, any_number, dice

_WORD = re.compile(r"[A-Za-z]{4,}")


def _encode(text: str, key: str) -> str:
    rng = dice(key)

    def shuffled(word: str) -> str:
        return word[0] + "".join(rng.sample(word[1:-1], len(word) - 2)) + word[-1]

    return _WORD.sub(lambda found: shuffled(found[0]), text)


DISGUISE = Disguise(
    name="scrambled",
    title=Text(en="Inner letters shuffled", zh="单词内部乱序"),
    source="Hughes et al. 2024, Best-of-N Jailbreaking (word scrambling)",
    encode=_encode,
    key=any_number,
    script=Script.LATIN,
)
