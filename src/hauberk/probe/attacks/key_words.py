"""The words that a request is about, for carriers that name them apart from it; a list of function words is all it takes."""

import re
from functools import cache

_LATIN = re.compile(r"[^\W\d_一-鿿]{4,40}")
_HAN = re.compile(r"[一-鿿]{2,60}")
_EMPTY = (
    "about above after again also another because been before being below between both could does doing down during each "
    "every explain from further give have having here hers himself how into itself just list make more most need only other "
    "over please same should some such tell than that their them then there these they this those through under until "
    "very want what when where which while will with without would write your yours step steps detail detailed"
)
_BOUND = re.compile(
    "请问|请你|请帮|帮我|告诉我|教我|怎么样|怎么|怎样|如何|为什么|什么|哪些|哪个|可以|能否|能不能|是否|一个|一种|一篇|一些|"
    "我们|你们|他们|应该|需要|进行|以及|并且|或者|如果|但是|因为|所以|关于|对于|使用|利用|通过|详细|说明|给出|写出|列出|"
    "[的了吗呢吧啊和与及或在从把被让使用给对向是有为我你他她它这那其之将会能要想请并就都也很更最]"
)


@cache
def _empty() -> frozenset[str]:
    return frozenset(_EMPTY.split())


def key_words(text: str, most: int = 6) -> list[str]:
    """Up to `most` words that `text` is about, longest first among equals of the language, then in the order of the text."""
    head = text[:2000]
    found = [word for word in _LATIN.findall(head) if word.lower() not in _empty()]
    for run in _HAN.findall(head):
        found += [piece for piece in _BOUND.split(run) if piece and 2 <= len(piece) <= 8]
    unique = list(dict.fromkeys(found))
    chosen = set(sorted(unique, key=len, reverse=True)[:most])
    return [word for word in unique if word in chosen]
