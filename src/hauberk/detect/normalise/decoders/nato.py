"""The spelling alphabet: India Golf November Oscar Romeo Echo."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.segmentation import segment
from hauberk.detect.normalise.trace import Decoded, Weave

_WORDS = (
    "alpha|alfa|bravo|charlie|delta|echo|foxtrot|golf|hotel|india|juliett?|kilo|lima|mike|november|oscar|papa|quebec|romeo|"
    "sierra|tango|uniform|victor|whiskey|x-?ray|yankee|zulu"
)
_SPAN = re.compile(rf"\b(?:{_WORDS})(?:[ ,\-\n/|]{{1,3}}(?:{_WORDS})\b){{3,}}", re.IGNORECASE)
_WORD = re.compile(_WORDS, re.IGNORECASE)


def decode(text: str) -> Decoded | None:
    """`text` with runs of the spelling alphabet that spell English replaced."""
    weave = Weave(text)
    for found in _SPAN.finditer(text):
        said = segment("".join(word[0] for word in _WORD.findall(found[0])).lower())
        if said:
            weave.put(said, *found.span())
    return weave.done("spelling-alphabet")


DECODER = Decoder("spelling-alphabet", rf"(?i)\b(?:{_WORDS})(?:[ ,\-\n/|]{{1,3}}(?:{_WORDS})\b){{3}}", decode)
