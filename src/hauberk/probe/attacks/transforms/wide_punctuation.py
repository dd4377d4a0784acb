"""Full-width spaces between the characters and brackets around pieces of a Chinese text."""

from hauberk.probe.attacks.attack import Family, Text
from hauberk.probe.attacks.disguise import Disguise, Script

_SIZE = 3


def _encode(text: str, _: str) -> str:
    pieces = [text[i : i + _SIZE] for i in range(0, len(text), _SIZE)]
    return "\u3000".join(f"【{piece}】" if number % 2 else piece for number, piece in enumerate(pieces))


DISGUISE = Disguise(
    name="wide-punctuation",
    title=Text(en="Full-width spaces and brackets", zh="全角标点穿插"),
    source="Chinese internet evasions; Unicode Standard, CJK Symbols and Punctuation",
    encode=_encode,
    family=Family.CHINESE,
    growth=1.7,
    script=Script.HAN,
)
