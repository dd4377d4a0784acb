"""Morse code in dots and dashes (ITU-R M.1677-1, and the signs in common use)."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.language import is_english
from hauberk.detect.normalise.segmentation import segment
from hauberk.detect.normalise.trace import Decoded, Weave

_SIGNS = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
    "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. "
    ".-.-.- --..-- ..--.. -.-.-- -..-. .-..-. ---... -....- .----. -.--. -.--.- .-... -.-.-. -...- .-.-. ..--.- ...-..- .--.-."
)
_CODES: dict[str, str] = dict(zip(_SIGNS.split(" "), "abcdefghijklmnopqrstuvwxyz0123456789.,?!/\":-'()&;=+_$@", strict=True))
_UNREAD = 20  # one code in so many may be none that is known
_SPAN = re.compile(r"[.\-·•−–—_]{1,7}(?:[ /|\n]{1,12}[.\-·•−–—_]{1,7}){5,}")
_WORD = 9  # letters of a word on the average, if those are words
_PLAIN = str.maketrans("·•−–—_|\n", "..----//")


def decode(text: str) -> Decoded | None:
    """`text` with each run of Morse that spells English replaced by it."""
    weave = Weave(text)
    for found in _SPAN.finditer(text):
        words = re.split(r"(?: */+)+ *| {3,}", found[0].translate(_PLAIN))
        said = " ".join("".join(_CODES.get(code, "\0") for code in word.split()) for word in words)
        if said.count("\0") * _UNREAD > len(said) or len(set(said)) < 4:
            continue
        said = said.replace("\0", "")
        divided = " " in said and len(said) < _WORD * len(words)
        said = said if divided or is_english(said, 0.4) else segment(said.replace(" ", ""), 0.5)
        if said:
            weave.put(said, *found.span())
    return weave.done("morse")


DECODER = Decoder("morse", r"[.\-·•−–—_]{1,7}(?:[ /|\n]{1,7}[.\-·•−–—_]{1,7}){5}", decode)
