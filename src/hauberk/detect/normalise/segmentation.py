"""Words of English found again where their borders are lost: by dynamic programming over the costs of words (Viterbi 1967)."""

import math
from collections.abc import Sequence

from hauberk.detect.normalise.tables import vocabulary

_LONGEST = 16  # letters of a word
_UNKNOWN = 9.0  # the cost of a letter in no word
_SHORT = {1: 5.0, 2: 1.5}  # what a word of so few letters costs besides
_COMMON = 7.0  # what a word of three letters costs that proves anything: others are abbreviations
_PIECES = 5  # of one word
_STRAY = 16.0  # the cost of a piece that is no word


def segment(letters: str, least: float = 0.7) -> str:
    """`letters` as English words with spaces between; empty when too few of them belong to words. Linear in its length."""
    costs = vocabulary()
    best: list[tuple[float, int]] = [(0.0, 0)]  # cost so far, where the last word began
    low = letters.lower()
    for end in range(1, len(low) + 1):
        choices = [(best[end - 1][0] + _UNKNOWN, end - 1)]
        for start in range(max(0, end - _LONGEST), end):
            cost = costs.get(low[start:end])
            if cost is not None:
                choices.append((best[start][0] + cost + _SHORT.get(end - start, 0.0), start))
        best.append(min(choices))
    words: list[str] = []
    end = len(letters)
    while end:
        start = best[end][1]
        words.append(letters[start:end])
        end = start
    good = sum(len(w) for w in words if len(w) > 3 or (len(w) == 3 and costs.get(w.lower(), math.inf) < _COMMON))
    return " ".join(reversed(words)) if letters and good >= least * len(letters) else ""


def joined(pieces: Sequence[str], *, any_pieces: bool) -> list[tuple[int, int]]:
    """Which of `pieces`, in lower case, make one word: first piece and the one after the last, two pieces and more. Linear.

    Args:
        pieces: What stands between the cuts, whole words among them.
        any_pieces: Whether pieces that are all words themselves may be joined; otherwise one of them, of two letters or more,
            must be none.
    """
    costs = vocabulary()
    single = [costs.get(piece, _STRAY) + _SHORT.get(len(piece), 0.0) for piece in pieces]
    if not any_pieces and not any(cost >= _STRAY and len(piece) > 1 for cost, piece in zip(single, pieces, strict=True)):
        return []
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(pieces) + 1):
        found = (best[end - 1][0] + single[end - 1], end - 1)
        word, strays = pieces[end - 1], single[end - 1] >= _STRAY and len(pieces[end - 1]) > 1
        for start in range(end - 2, max(-1, end - 1 - _PIECES), -1):
            word = pieces[start] + word
            if len(word) > _LONGEST + 4:
                break
            strays = strays or (single[start] >= _STRAY and len(pieces[start]) > 1)
            cost = costs.get(word, math.inf) if len(word) > 3 and (any_pieces or strays) else math.inf
            if best[start][0] + cost < found[0]:
                found = (best[start][0] + cost, start)
        best.append(found)
    spans: list[tuple[int, int]] = []
    end = len(pieces)
    while end:
        start = best[end][1]
        if end - start > 1:
            spans.append((start, end))
        end = start
    return spans[::-1]
