"""Words cut in pieces by hyphens or other signs: `in-struc-tions`, `pre*vious`, `ig/nore`."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.segmentation import joined
from hauberk.detect.normalise.tables import vocabulary
from hauberk.detect.normalise.trace import Decoded, Weave

_CLASS = r"[-*~^_.|+/\\#·•‐-―]"
_SIGN = re.compile(rf"{_CLASS}{{1,2}}(?=[A-Za-z])")
_LETTERS = re.compile("[A-Za-z]{1,12}")
_MOST = 12  # letters of one piece
_RARE = 100  # words of a long text to each that is cut
_PREFIXES = frozenset(
    ["pre", "re", "co", "de", "non", "anti", "multi", "sub", "inter", "semi", "micro", "ex", "un", "bi", "tri", "e"]
)


def decode(text: str) -> Decoded | None:
    """`text` with the signs inside words taken out, when at least two words are whole then of which some pieces are none."""
    known = vocabulary()
    weave = Weave(text)
    sure = 0
    for pieces in _runs(text):
        low = [text[start:end].lower() for start, end in pieces]
        whole = all(piece in known for piece in low)
        spans = joined(low, any_pieces=whole or len(low) > 2)
        if not spans and not whole and len(low) > 3 and _hyphenated(text[pieces[0][0] : pieces[-1][1]]):
            spans = [(0, len(low))]
        sure += not whole and any(end - start > 2 or low[start] not in _PREFIXES for start, end in spans)
        for first, after in spans:
            for number in range(first, after - 1):
                weave.put("", pieces[number][1], pieces[number + 1][0])
    return weave.done("split-words") if sure > max(1, text.count(" ") // _RARE) else None


def _hyphenated(run: str) -> bool:
    """Whether its signs are none that addresses and names of code are made of."""
    return not any(sign in run for sign in "./_\\#")


def _runs(text: str) -> list[list[tuple[int, int]]]:
    """Letters with single signs between them: where each piece begins and ends."""
    runs: list[list[tuple[int, int]]] = []
    for sign in _SIGN.finditer(text):
        after = _LETTERS.match(text, sign.end())
        assert after is not None, "the sign is followed by a letter"
        if runs and runs[-1][-1][1] == sign.start():
            runs[-1].append(after.span())
            continue
        head = sign.start()
        while head and sign.start() - head < _MOST and text[head - 1].isascii() and text[head - 1].isalpha():
            head -= 1
        if head < sign.start():
            runs.append([(head, sign.start()), after.span()])
    return runs


DECODER = Decoder("split-words", rf"[A-Za-z]{_CLASS}{{1,2}}[A-Za-z]", decode, "split")
