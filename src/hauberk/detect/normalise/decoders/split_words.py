"""Words cut in pieces by hyphens or other signs: `in-struc-tions`, `pre*vious`, `ig/nore`."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.tables import english_words
from hauberk.detect.normalise.trace import Decoded, Weave

_CLASS = r"[-*~^_.|+/\\#·•‐-―]"
_SIGN = re.compile(rf"{_CLASS}{{1,2}}(?=[A-Za-z])")
_LETTERS = re.compile("[A-Za-z]{1,12}")
_MOST = 12  # letters of one piece


def decode(text: str) -> Decoded | None:
    """`text` with at least two words put together again from pieces of which some are no words."""
    known = english_words()
    weave = Weave(text)
    runs = [(start, end, [piece.lower() for piece in pieces]) for start, end, pieces in _runs(text)]
    said = [_rejoin(pieces, known) for _, _, pieces in runs]
    if sum(map(bool, said)) < 2:
        return None
    for (start, end, pieces), words in zip(runs, said, strict=True):
        if words or not all(piece in known for piece in pieces):
            weave.put(words or "".join(pieces), start, end)
    return weave.done("split-words")


def _runs(text: str) -> list[tuple[int, int, list[str]]]:
    """Letters with single signs between them: start, end, pieces."""
    runs: list[tuple[int, int, list[str]]] = []
    for sign in _SIGN.finditer(text):
        after = _LETTERS.match(text, sign.end())
        assert after is not None, "the sign is followed by a letter"
        if runs and runs[-1][1] == sign.start():
            first, _, pieces = runs[-1]
            runs[-1] = (first, after.end(), [*pieces, after[0]] if len(pieces) < 64 else pieces)
            continue
        head = sign.start()
        while head and sign.start() - head < _MOST and text[head - 1].isascii() and text[head - 1].isalpha():
            head -= 1
        if head < sign.start():
            runs.append((head, after.end(), [text[head : sign.start()], after[0]]))
    return runs


def _rejoin(pieces: list[str], known: frozenset[str]) -> str:
    """The words that the pieces make, some of them cut; empty when they are whole words already or make none."""
    if all(piece in known or len(piece) > 7 for piece in pieces):
        return ""
    words: list[str] = []
    at = 0
    while at < len(pieces):
        for end in range(min(len(pieces), at + _MOST), at, -1):
            joined = "".join(pieces[at:end])
            if joined in known and (len(joined) > 3 or end == at + 1):
                words.append(joined)
                at = end
                break
        else:
            return ""
    return " ".join(words) if len(words) < len(pieces) else ""


DECODER = Decoder("split-words", rf"[A-Za-z]{_CLASS}{{1,2}}[A-Za-z]", decode)
