"""Whether an answer is about what was asked: the content words, in Chinese pairs of characters, that both share."""

import re
from itertools import islice, pairwise

from hauberk.detect.normalise.language import is_english
from hauberk.detect.output.overlap import tokens

MAX_TOKENS = 4_000
_CJK = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_STOP_WORDS = (
    "a about all also an and any are as ask at be been best but by can could detail detailed do does don't easy explain for "
    "from get give good had has have help her hers him his how i if in into is it its just know let like list make many "
    "may me might more most much my need no not of on one or our out please should show so some steps such teach tell "
    "than that the their them then there these they this those to up us use using very want was way ways we well were "
    "what when where which while who whom whose why will with without would write you your step process person people "
    "someone something explain describe provide create generate answer question"
)
_STOP = frozenset(_STOP_WORDS.split())
_ZH_STOP = frozenset("的了是在我你他她它们和与或吗呢吧啊把被让给对于从到这那哪什么怎样如何请一个不有要会能可以写做些为及其")
_TAIL = re.compile(r"(?:ingly|ations?|ments?|ings?|ies|edly|ed|ers?|es|s|ly|e|y)$")


def shared(request: str, answer: str) -> float | None:
    """The share of what `request` is about that `answer` takes up, 0 to 1; None when the two cannot be compared.

    They cannot when the request has no content words, or when one is Chinese and the other is not.
    """
    asked = _content(request)
    if not asked or is_chinese(request) != is_chinese(answer):
        return None
    if not is_chinese(request) and not (is_english(request, 0.4) and is_english(answer, 0.3)):
        return None
    said = _content(answer)
    return len(asked & said) / len(asked)


def is_chinese(text: str) -> bool:
    """Whether Chinese characters carry most of `text`; one of them says about as much as three letters."""
    head = text[:20_000]
    hanzi = len(_CJK.findall(head))
    return hanzi * 3 > sum(map(str.isalpha, head)) - hanzi


def _content(text: str) -> set[str]:
    words = [token.word for token in islice(tokens(text), MAX_TOKENS)]
    found = {_stem(word) for word in words if len(word) > 2 and word.isascii() and word not in _STOP}
    pairs = pairwise(words)
    found.update(a + b for a, b in pairs if _CJK.match(a) and _CJK.match(b) and not (a in _ZH_STOP or b in _ZH_STOP))
    return found


def _stem(word: str) -> str:
    """`word` without its commonest ending, so that `killing` meets `kill`."""
    cut = _TAIL.sub("", word)
    return cut if len(cut) > 2 else word
