"""Braille, uncontracted."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.language import is_english
from hauberk.detect.normalise.segmentation import segment
from hauberk.detect.normalise.trace import Decoded, Weave

_CELLS = dict(zip("⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵⠀⠲⠂⠦⠖⠄⠠", "abcdefghijklmnopqrstuvwxyz .,?!'\0", strict=True))
_SPAN = re.compile("[\u2800-\u28ff](?:[ \n]?[\u2800-\u28ff]){3,}")


def decode(text: str) -> Decoded | None:
    """`text` with runs of Braille cells that spell English replaced by letters."""
    weave = Weave(text)
    for found in _SPAN.finditer(text):
        said = "".join(_CELLS.get(c, c) for c in found[0]).replace("\0", "")
        said = said if is_english(said, 0.4) else segment("".join(filter(str.isalpha, said)), 0.5)
        if said:
            weave.put(said, *found.span())
    return weave.done("braille")


DECODER = Decoder("braille", "[\u2800-\u28ff][ \n]?[\u2800-\u28ff]", decode)
