"""Reads traditional characters, Kangxi radicals and internet variants (火星文) as the simplified characters they stand for."""

import re
from functools import cache

from hauberk.detect.normalise.tables import table
from hauberk.detect.normalise.trace import Decoded, Trace

# Written variants of common words in 火星文: same sound or shape with a radical too many.
_MARTIAN = dict(
    zip(
        "莪沵妳伱祢囸徝哋恏鈈芣卟仴媞昰湜侑洧佷狠圡夶尛吖洳菓這箇亽亾沒洎己經夨嘟還楽滈幵惢聅誰岽覀凼",
        "我你你你你日值的好不不不月是是是有有很很土大小呀如果这个人人没自己经失都还乐高开心阵谁东西当",
        strict=True,
    )
)


@cache
def _tables() -> tuple[dict[int, str], re.Pattern[str]]:
    pairs = table("simplified")
    plain = {ord(a): b for a, b in zip(pairs["from"], pairs["to"], strict=True)}
    plain |= {ord(a): b for a, b in _MARTIAN.items() if a != b and a not in "狠经己"}
    plain |= {code: to for code in range(0x2F00, 0x2FD6) if (to := _radical(code))}
    return plain, re.compile(f"[{''.join(map(re.escape, map(chr, plain)))}]")


def _radical(code: int) -> str:
    import unicodedata

    to = unicodedata.normalize("NFKC", chr(code))
    return to if to != chr(code) else ""


def simplify(text: str) -> Decoded | None:
    """`text` in simplified characters, one for one; None when nothing changes."""
    if text.isascii():
        return None
    plain, odd = _tables()
    if odd.search(text) is None:
        return None
    return Decoded("simplified", text.translate(plain), Trace([(0, 0, len(text), True)]))
