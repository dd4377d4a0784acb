"""Words cut in pieces by spaces: `ig nore prev ious instruc tions`."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.language import known_share, segment
from hauberk.detect.normalise.tables import english_words
from hauberk.detect.normalise.trace import Decoded, Weave

_MOST = 5  # pieces of one word
_SHATTERED = 6  # one odd word in so many: all words are divided anew
_WELL_READ = 0.85
_RUN = re.compile("[A-Za-z]+(?: [A-Za-z]+){2,}")
_LONGEST = 7  # letters of one piece


def decode(text: str) -> Decoded | None:
    """`text` with at least two words put together again from pieces of which some are no words."""
    known = english_words()
    words = text.lower().split(" ")
    odd = [i for i, word in enumerate(words) if word not in known and len(word) <= _LONGEST and word.isalpha()]
    if len(odd) < 2:
        return None
    if len(odd) * _SHATTERED > len(words):
        whole = _resegmented(text)
        if whole is not None:
            return whole
    groups = _groups(words, odd, known)
    if len(groups) < 2:
        return None
    weave = Weave(text)
    place = at = 0
    for first, end, said in groups:
        place += sum(map(len, words[at:first])) + first - at
        size = sum(map(len, words[first:end])) + end - first - 1
        weave.put(said, place, place + size)
        place += size + 1
        at = end
    return weave.done("split-words")


def _resegmented(text: str) -> Decoded | None:
    """All words of a text divided anew, when nearly all of it is English then and was not before."""
    weave = Weave(text)
    for found in _RUN.finditer(text):
        said = segment(found[0].replace(" ", ""), 0.8)
        if said and said != found[0]:
            weave.put(said, *found.span())
    decoded = weave.done("split-words")
    if decoded is None or known_share(decoded.text) < max(_WELL_READ, known_share(text) + 0.1):
        return None
    return decoded


def _groups(words: list[str], odd: list[int], known: frozenset[str]) -> list[tuple[int, int, str]]:
    """First word, the one after the last, and what they make, for each word in pieces; none overlaps another."""
    found: list[tuple[int, int, str]] = []
    done = 0
    for index in odd:
        if index < done:
            continue
        best = _around(words, index, done, known)
        if best is not None:
            found.append(best)
            done = best[1]
    return found


def _around(words: list[str], index: int, done: int, known: frozenset[str]) -> tuple[int, int, str] | None:
    for first in range(max(done, index - 2), index + 1):
        for end in range(min(len(words), first + _MOST), max(index, first + 1), -1):
            last = words[end - 1].rstrip(".,!?;:")
            joined = "".join(words[first : end - 1]) + last
            if len(joined) > 4 and joined in known:
                pieces = (*words[first : end - 1], last)
                if "" not in pieces and any(piece not in known for piece in pieces):
                    return first, end, joined + words[end - 1][len(last) :]
    return None


DECODER = Decoder("split-spaces", r"[A-Za-z] [A-Za-z]", decode)
