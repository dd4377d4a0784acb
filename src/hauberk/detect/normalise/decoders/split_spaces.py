"""Words cut in pieces by spaces: `ig nore prev ious instruc tions`."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.language import vocabulary_share
from hauberk.detect.normalise.segmentation import joined
from hauberk.detect.normalise.tables import vocabulary
from hauberk.detect.normalise.trace import Decoded, Weave

_SHATTERED = 6  # one odd word in so many: whole words, too, may be pieces of others
_LONGEST = 10  # letters of one piece
_RARE = 100  # words of a long text to each that is cut
_WELL_READ = 0.7
_TOKEN = re.compile("[A-Za-z]+(?:['’][A-Za-z]+)?")
_WORD = re.compile("[a-z']+")


def decode(text: str) -> Decoded | None:
    """`text` with the spaces inside words taken out, when two and more words of which some pieces are none are whole then."""
    known = vocabulary()
    words = _WORD.findall(text.lower())
    odd = [i for i, word in enumerate(words) if word not in known and len(word) <= _LONGEST and word.isalpha()]
    if len(odd) < 2 or not _worth_it(words, odd, known):
        return None
    shattered = len(odd) * _SHATTERED > len(words)
    weave = Weave(text)
    for tokens in _runs(text):
        pieces = [text[start:end].lower() for start, end in tokens]
        for first, after in joined(pieces, any_pieces=shattered):
            for number in range(first, after - 1):
                weave.put("", tokens[number][1], tokens[number + 1][0])
    decoded = weave.done("split-words") if weave.count > max(1, len(words) // _RARE) else None
    if decoded is None or (shattered and vocabulary_share(decoded.text) < max(_WELL_READ, vocabulary_share(text) + 0.05)):
        return None
    return decoded


def _worth_it(words: list[str], odd: list[int], known: dict[str, float]) -> bool:
    """Whether two odd words make a known one with a neighbour or two."""
    hits = 0
    last = -1
    for index in odd:
        before = words[index - 1] if index else ""
        after = words[index + 1] if index + 1 < len(words) else ""
        word = words[index]
        if before + word in known or word + after in known or before + word + after in known:
            hits += index - last > 1 or not hits
            last = index
        if hits > 1:
            return True
    return False


def _runs(text: str) -> list[list[tuple[int, int]]]:
    """Words with single spaces between them: where each begins and ends."""
    runs: list[list[tuple[int, int]]] = []
    last = -2
    for found in _TOKEN.finditer(text):
        start, end = found.span()
        if start == last + 1 and text[last] == " ":
            runs[-1].append((start, end))
        else:
            runs.append([(start, end)])
        last = end
    return [run for run in runs if len(run) > 1]


DECODER = Decoder("split-spaces", r"[A-Za-z] [A-Za-z]", decode, "split")
