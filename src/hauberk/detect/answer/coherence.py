"""Whether an answer is language at all: empty, gibberish, a loop, or the request said back.

Cheap exact measures, each linear in the text: shares of known words and of rare letter pairs (English), of function characters
(Chinese), of characters nobody writes, of distinct shingles. A text in another language of the Latin script is not gibberish.
"""

import re
from enum import StrEnum
from itertools import islice

from hauberk.detect.normalise.language import rarity, vocabulary_share
from hauberk.detect.output.fences import CodeMap
from hauberk.detect.output.overlap import tokens

MAX_TOKENS = 20_000
_HANZI = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_LATIN = re.compile("[A-Za-z]")
_FUNCTION = frozenset(
    "的了是在我不有和人这中大为上个国以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说而去之您你请与或及其如应该"
)
_ENOUGH = 24  # letters from which a text is judged by its letters
_LOOP = 60  # tokens from which a text may be a loop
_ECHO = 6  # tokens from which an answer may be the request said back


class Flaw(StrEnum):
    """Why an answer says nothing."""

    EMPTY = "empty"
    GIBBERISH = "gibberish"
    LOOP = "loop"
    ECHO = "echo"


def flaw_of(answer: str, requests: tuple[str, ...] = ()) -> Flaw | None:
    """What is wrong with `answer` as an answer to one of `requests` (as sent and undisguised); None when it is language."""
    if not any(map(str.isalnum, answer)):
        return Flaw.EMPTY
    words = [token.word for token in islice(tokens(answer), MAX_TOKENS)]
    if _is_loop(words):
        return Flaw.LOOP
    if any(_is_echo(words, request) for request in requests):
        return Flaw.ECHO
    return Flaw.GIBBERISH if is_gibberish(answer) else None


def is_gibberish(text: str) -> bool:
    """Whether the prose of `text` is no language: letters by chance, characters by chance, or bytes that are no characters."""
    odd = text.count("\ufffd") + sum(not (c.isprintable() or c in "\n\r\t") for c in text)
    if odd * 10 > len(text):
        return True
    prose = _prose(text)
    hanzi, latin = len(_HANZI.findall(prose)), len(_LATIN.findall(prose))
    if latin > 2 * hanzi and latin >= _ENOUGH:
        known = vocabulary_share(prose)
        return (known < 0.45 and rarity(prose) > 9.6) or _is_salad(prose, known)
    if hanzi >= 2 * _ENOUGH:
        return sum(c in _FUNCTION for c in prose) * 40 < hanzi
    return False


def _is_salad(prose: str, known: float) -> bool:
    """Words without a sentence: hardly a space or hardly a small word among many letters."""
    letters = len(_LATIN.findall(prose))
    longest = max(map(len, prose.split()), default=0)
    return known < 0.3 and letters >= 40 and longest * 2 > letters


def _prose(text: str) -> str:
    """`text` without its fenced code."""
    if "```" not in text and "~~~" not in text:
        return text
    pieces: list[str] = []
    at = 0
    for fence in CodeMap(text).fences:
        pieces.append(text[at : fence.start])
        at = fence.end
    return "\n".join((*pieces, text[at:]))


def _is_loop(words: list[str]) -> bool:
    """Whether most of a text is said over and over."""
    if len(words) < _LOOP:
        return len(words) >= 12 and len(set(words)) <= 2
    tail = words[len(words) // 4 :]
    shingles = list(zip(tail, tail[1:], tail[2:], strict=False))
    return len(set(shingles)) * 5 < len(shingles)


def _is_echo(words: list[str], request: str) -> bool:
    """Whether nearly all of a text stands in the request, in the same order."""
    if len(words) < _ECHO:
        return False
    asked = [token.word for token in islice(tokens(request), MAX_TOKENS)]
    if words == asked:
        return True
    known = set(zip(asked, asked[1:], asked[2:], strict=False))
    said = list(zip(words, words[1:], words[2:], strict=False))
    return sum(shingle in known for shingle in said) * 10 >= 9 * len(said)
