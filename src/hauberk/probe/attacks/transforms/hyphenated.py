"""Words cut into pieces of three letters."""

import re

from hauberk.probe.attacks.attack import Text
from hauberk.probe.attacks.disguise import Disguise, Script

_WORD = re.compile(r"[A-Za-z]{4,}")


def _encode(text: str, _: str) -> str:
    return _WORD.sub(lambda found: "-".join(found[0][i : i + 3] for i in range(0, len(found[0]), 3)), text)


DISGUISE = Disguise(
    name="hyphenated",
    title=Text(en="Words in pieces", zh="拆分单词"),
    source="Kang et al. 2023, Exploiting Programmatic Behavior of LLMs (payload splitting)",
    encode=_encode,
    growth=1.3,
    script=Script.LATIN,
)
