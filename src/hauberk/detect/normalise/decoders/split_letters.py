"""Words spelt one letter at a time: `i g n o r e`, `i-g-n-o-r-e`, one letter a line, capitals or not."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.segmentation import segment
from hauberk.detect.normalise.trace import Decoded, Weave

_GAP = r"[ \t\r\n.\-_*|/\\~,;:'+·•—–]"
_SPAN = re.compile(rf"(?<![A-Za-z])[A-Za-z](?:{_GAP}{{1,6}}[A-Za-z](?![A-Za-z])){{3,}}")
_LETTERS = re.compile(r"[A-Za-z]")
_WIDE = re.compile(r"\s{2,}|[^\w\s]\s+[^\w\s]?|[/|]+")


def decode(text: str) -> Decoded | None:
    """`text` with each run of single letters that spells English joined into words."""
    weave = Weave(text)
    for found in _SPAN.finditer(text):
        said = _joined(found[0])
        if said:
            weave.put(said, *found.span())
    return weave.done("split-letters")


def _joined(run: str) -> str:
    parts = ["".join(_LETTERS.findall(part)) for part in _WIDE.split(run)]
    letters = "".join(parts)
    if sum(len(part) > 1 for part in parts) > 1:
        words = [segment(part, 0.5) or part for part in parts if part]
        if sum(len(word) for word in words if " " in word or len(word) > 2) * 2 > len(letters) and segment(letters, 0.4):
            return " ".join(words)
    return segment(letters, 0.6)


DECODER = Decoder("split-letters", rf"\b[A-Za-z](?:{_GAP}{{1,6}}[A-Za-z]\b){{3}}", decode, "split")
