"""Reads lookalike letters, accents and styled alphabets as the plain letters that they stand for, word by word."""

import re
from functools import cache

from hauberk.detect.normalise.tables import english_words, table
from hauberk.detect.normalise.trace import Decoded, Weave

_WORD_MAX = 64
_WIDE_SPACES = frozenset("\u3000\xa0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f")
_ASCII = re.compile("[0-9A-Za-z]")


@cache
def _tables() -> tuple[dict[int, str], frozenset[str], frozenset[str], re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    letters = table("letters")
    plain = {ord(c): to for group in letters.values() for to, chars in group.items() for c in chars}
    forms = frozenset("".join(letters["forms"].values()))
    lookalikes = frozenset("".join(letters["lookalikes"].values()))
    every = "".join(map(chr, plain))
    near = "".join(c for c in every if c < "\U00010000")  # re looks these up in a bitmap, and tries higher ones one by one
    word = re.compile(f"[0-9A-Za-z{every}]{{1,{_WORD_MAX}}}")
    return plain, forms, lookalikes, re.compile(f"[{near}]"), re.compile(f"[{every}]"), word


def fold_letters(text: str) -> Decoded | None:
    """`text` in plain letters; None when no word of it is disguised. A word in honest Cyrillic or French stays."""
    if text.isascii():
        return None
    plain, forms, lookalikes, near, every, word = _tables()
    odd = near if max(text) < "\U00010000" else every
    weave = Weave(text)
    certain: list[tuple[str, int, int]] = []
    accents: list[tuple[str, int, int]] = []
    others: list[tuple[str, int, int]] = []
    at = 0
    while (found := odd.search(text, at)) is not None:
        start = found.start()
        while start > at and found.start() - start < _WORD_MAX and _ASCII.match(text[start - 1]):
            start -= 1
        end = word.match(text, start).end()  # type: ignore[union-attr]
        end = max(end, found.end())
        if _joined(text, start, end):
            at = end
            continue
        piece, at = text[start:end], end
        folded = piece.translate(plain)
        kind = _kind(piece, folded, forms, lookalikes)
        if kind == "accent":
            accents.append((folded, start, end))
        elif kind == "certain":
            certain.append((folded, start, end))
        elif kind == "other":
            others.append((folded, start, end))
    enough = len(accents) > max(1, text.count(" ") // 4) and len(accents) >= len(others)
    for folded, start, end in sorted([*certain, *accents, *others] if enough else certain, key=_start):
        if text[start] >= "\uff01":
            _put_wide(weave, text, _wide_before(text, start), start)
        weave.put(folded, start, end, exact=True)
        if text[end - 1] >= "\uff01":
            _put_wide(weave, text, end, _wide_after(text, end))
        elif text[end : end + 1] in _WIDE_SPACES:
            weave.put(" ", end, end + 1, exact=True)
    return weave.done("lookalikes")


def _wide_after(text: str, at: int) -> int:
    """Where the full-width signs and spaces that begin at `at` end: they belong to the full-width words around them."""
    while at < len(text) and (text[at] in _WIDE_SPACES or "\uff01" <= text[at] <= "\uff5e") and not text[at].isalnum():
        at += 1
    return at


def _wide_before(text: str, at: int) -> int:
    """Where the line's full-width signs before `at` begin, when nothing else stands before them."""
    start = at
    while start and (text[start - 1] in _WIDE_SPACES or "\uff01" <= text[start - 1] <= "\uff5e"):
        start -= 1
        if text[start].isalnum():
            return at
    return start if not start or text[start - 1] == "\n" else at


def _put_wide(weave: Weave, text: str, start: int, end: int) -> None:
    if start < end:
        weave.put("".join(" " if c in _WIDE_SPACES else chr(ord(c) - 0xFEE0) for c in text[start:end]), start, end, exact=True)


def _start(word: tuple[str, int, int]) -> int:
    return word[1]


def _joined(text: str, start: int, end: int) -> bool:
    """Whether the span is only part of a word of another alphabet."""
    around = text[max(start - 1, 0) : start] + text[end : end + 1]
    return any(c.isalpha() and not c.isascii() and not "\u2e80" <= c <= "\U0003ffff" and c != "\u3000" for c in around)


def _kind(piece: str, folded: str, forms: frozenset[str], lookalikes: frozenset[str]) -> str:
    """`certain` for a disguise, `accent` for an English word under accents, `other` for other accents, empty for another script."""
    if any(c in forms for c in piece):
        return "certain"
    known = folded.lower() in english_words() and len(folded) > 1
    if any(c in lookalikes for c in piece):
        return "certain" if known or any(c.isascii() and c.isalpha() for c in piece) else ""
    return "accent" if known else "other"
