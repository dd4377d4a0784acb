"""Phrases that an attack's texts share and ordinary texts do not have."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from hauberk.probe.learn.masked import pieces
from hauberk.probe.learn.sample import Sample, plain

SHARE = 0.6
"""Of an attack's seeds whose texts must hold a phrase."""
MOST = 3
"""Phrases of one attack."""
WORDS = range(4, 9)
LETTERS = range(6, 15)
TRIED = 400
_WORD = re.compile(r"[^\W_]+")
_HAN = re.compile(r"[㐀-鿿，。：；！？、“”‘’（）《》【】0-9a-z]+")
_IS_HAN = re.compile(r"[㐀-鿿]")


class Usual:
    """Texts that phrases must not stand in: ordinary traffic and the seeds' own words."""

    def __init__(self, texts: Iterable[str]) -> None:
        plains = [plain(text) for text in texts]
        self._words = "\n".join(f" {' '.join(_WORD.findall(text))} " for text in plains)
        self._letters = "\n".join(plains)

    def has(self, phrase: str) -> bool:
        """Whether one of the texts holds it."""
        return phrase in self._letters if is_chinese(phrase) else f" {phrase} " in self._words


def is_chinese(text: str) -> bool:
    """Whether a phrase is one of characters rather than of words."""
    return bool(_IS_HAN.search(text))


def shared(samples: Sequence[Sample], usual: Usual) -> list[str]:
    """At most `MOST` phrases, none a part of another, that `SHARE` of the samples' seeds (two at least) share."""
    seeds = {sample.seed for sample in samples}
    least = max(2, math.ceil(SHARE * len(seeds)))
    if len(seeds) < least:
        return []
    holders: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        for phrase in _phrases(sample):
            holders[phrase].add(sample.seed)
    counts = Counter({phrase: len(found) for phrase, found in holders.items() if len(found) >= least})
    chosen: list[str] = []
    for phrase, _ in sorted(counts.items(), key=lambda item: (-item[1] * _weight(item[0]), item[0]))[:TRIED]:
        if len(chosen) < MOST and not any(_overlap(phrase, other) for other in chosen) and not usual.has(phrase):
            chosen.append(phrase)
    return chosen


def pattern(phrase: str) -> str:
    """`phrase` as an RE2 expression: any spaces and marks between words, any case."""
    if is_chinese(phrase):
        return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", phrase)  # marks only: RE2 takes no other letter escaped
    joined = r"[\s\pP\pS]{1,6}".join(phrase.split(" "))
    return rf"(?i)\b{joined}\b" if phrase.isascii() else f"(?i){joined}"


def _phrases(sample: Sample) -> set[str]:
    found: set[str] = set()
    for piece in pieces(sample.text, sample.request):
        bare = plain(piece)
        for run in _HAN.findall(bare):
            if is_chinese(run):
                found.update(
                    made for size in LETTERS for at in range(len(run) - size + 1) if _is_chinese_phrase(made := run[at : at + size])
                )
        words = [word for word in _WORD.findall(bare) if not is_chinese(word)]
        found.update(" ".join(words[at : at + size]) for size in WORDS for at in range(len(words) - size + 1))
    return found


def _is_chinese_phrase(text: str) -> bool:
    whole = bool(_IS_HAN.match(text[0])) and bool(_IS_HAN.match(text[-1]))
    return whole and len(_IS_HAN.findall(text)) >= len(text) - 2


def _weight(phrase: str) -> int:
    """How much a phrase says: twice a word's worth for each word, a character's for each character."""
    return len(phrase) if is_chinese(phrase) else 2 * (phrase.count(" ") + 1)


def _overlap(one: str, other: str) -> bool:
    """Whether two phrases share half of the shorter."""
    if is_chinese(one) != is_chinese(other):
        return False
    first, second = (list(one), list(other)) if is_chinese(one) else (one.split(), other.split())
    size = max(2, min(len(first), len(second)) // 2)
    runs = {tuple(first[at : at + size]) for at in range(len(first) - size + 1)}
    return any(tuple(second[at : at + size]) in runs for at in range(len(second) - size + 1))
