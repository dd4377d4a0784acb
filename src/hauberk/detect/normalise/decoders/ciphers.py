"""Letters shifted (rot13 and every other Caesar), mirrored (atbash) or reversed, found where the text is no language."""

import itertools
import re
from functools import cache
from typing import Any

import numpy as np

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.language import rarity, strange_windows, table_scores, vocabulary_share
from hauberk.detect.normalise.trace import Decoded, Weave

_STRANGE = 6.6  # ordinary English stays below in 99 of 100 messages, rot13 of it above 7.9
_CLAUSE = 5.6
_GAIN = 1.2
_FAR = 2.2  # a gain that needs fewer words to be believed, in a text of more than _LONG characters
_LONG = 30
_SOME, _MOST = 0.3, 0.5  # shares of known words
_MAX_PIECES = 24
_JUDGED = 600  # characters of a piece by which the cipher is found
_EDGE = re.compile(r"[\n\"“”`:：<>()\[\]{}]|(?<=[.!?]) ")
_PLAIN = "abcdefghijklmnopqrstuvwxyz"


def _alphabets() -> list[tuple[str, str, bool]]:
    """Name, the letters that a..z stand for, and whether the text runs backwards."""
    made: list[tuple[str, str, bool]] = []
    for backwards in (False, True):
        tail = "+reversed" if backwards else ""
        for shift in range(0 if backwards else 1, 26):
            name = {0: "reversed", 13: f"rot13{tail}"}.get(shift, f"caesar-{shift}{tail}")
            made.append((name, _PLAIN[shift:] + _PLAIN[:shift], backwards))
        made.append((f"atbash{tail}", _PLAIN[::-1], backwards))
    return made


@cache
def _trials() -> tuple[list[tuple[str, dict[int, int], bool]], Any]:
    """The ciphers, and for each the rarity that every pair of letters has once it is read through the cipher."""
    plain = table_scores().reshape(27, 27)
    ciphers: list[tuple[str, dict[int, int], bool]] = []
    grids: list[Any] = []
    for name, letters, backwards in _alphabets():
        order = np.array([0, *(ord(c) - 96 for c in letters)])
        grid = plain[np.ix_(order, order)]
        grids.append((grid.T if backwards else grid).reshape(729))
        ciphers.append((name, str.maketrans(_PLAIN + _PLAIN.upper(), letters + letters.upper()), backwards))
    return ciphers, np.stack(grids).astype(np.int32)


def decode(text: str) -> Decoded | None:
    """`text` with the pieces that only a cipher makes English replaced by what they say."""
    windows = strange_windows(text, _STRANGE)
    if not windows:
        return None
    pieces = _pieces(text, windows)
    solved = [(start, end, found) for start, end in pieces[:_MAX_PIECES] if (found := _solve(text[start:end])) is not None]
    steps = list(dict.fromkeys(found[0] for _, _, found in solved))
    if len(steps) == 1 and solved[0][2][2] and sum(end - start for start, end, _ in solved) * 2 > len(text):
        return _throughout(text, steps[0])
    weave = Weave(text)
    for start, end, found in solved:
        weave.put(found[1], start, end, exact=found[2])
    return weave.done("+".join(steps), partial=bool(steps) and len(pieces) > _MAX_PIECES)


def _throughout(text: str, name: str) -> Decoded | None:
    """Every clause of a text read through one cipher, but for those that are language as they stand."""
    letters = next(letters for known, letters, _ in _trials()[0] if known == name)
    weave = Weave(text)
    edges = [0, *(m.end() for m in _EDGE.finditer(text)), len(text)]
    for start, end in itertools.pairwise(edges):
        clause = text[start:end]
        said = clause.translate(letters)
        if said != clause and vocabulary_share(said) >= vocabulary_share(clause):
            weave.put(said, start, end, exact=True)
    return weave.done(name)


def _pieces(text: str, windows: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The clauses that the strange windows touch; neighbours are one piece."""
    edges = [0, *(m.end() for m in _EDGE.finditer(text)), len(text)]
    made: list[tuple[int, int]] = []
    at = 0
    for start, end in itertools.pairwise(edges):
        while at < len(windows) and windows[at][1] <= start:
            at += 1
        if at < len(windows) and windows[at][0] < end and end > start:
            piece = (
                (start, end)
                if rarity(text[start:end]) > _CLAUSE
                else _words(text, max(start, windows[at][0]), min(end, windows[at][1]))
            )
            if made and made[-1][1] == piece[0]:
                made[-1] = (made[-1][0], piece[1])
            else:
                made.append(piece)
    return made


def _words(text: str, start: int, end: int) -> tuple[int, int]:
    """The whole words between `start` and `end`."""
    first = text.find(" ", start, end) + 1
    last = text.rfind(" ", start, end)
    return (first, last) if 0 < first < last else (start, end)


def _solve(piece: str) -> tuple[str, str, bool] | None:
    judged = piece[:_JUDGED]
    codes = np.array([ord(c) - 96 if "a" <= c <= "z" else 0 for c in judged.lower()], dtype=np.int32)
    if (codes > 0).sum() < 8:
        return None
    counts = np.bincount(codes[:-1] * 27 + codes[1:], minlength=729)
    counts[0] = 0
    ciphers, grids = _trials()
    totals = grids @ counts
    best = int(totals.argmin())
    if totals[best] / max(counts.sum(), 1) > rarity(judged) - _GAIN:
        return None
    name, letters, backwards = ciphers[best]
    said = (piece[::-1] if backwards else piece).translate(letters)
    share, before = vocabulary_share(said[:_JUDGED]), vocabulary_share(judged)
    far = rarity(judged) - totals[best] / max(counts.sum(), 1) > _FAR and len(judged) > _LONG
    return (name, said, not backwards) if share >= (_SOME if far else _MOST) and before < _SOME else None


DECODER = Decoder("cipher", "[A-Za-z]{2}", decode)
