"""HTML character references that spell letters."""

import html
import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.trace import Decoded, Weave

_REFERENCE = re.compile(r"&#(?:[0-9]{1,7}|[xX][0-9a-fA-F]{1,6});?")


def decode(text: str) -> Decoded | None:
    """`text` with numeric references replaced, when at least three of them are letters."""
    weave = Weave(text)
    letters = 0
    for found in _REFERENCE.finditer(text):
        said = html.unescape(found[0])
        letters += said.isalpha()
        weave.put(said, *found.span())
    return weave.done("html") if letters >= 3 else None


DECODER = Decoder("html", r"&#(?:[0-9]|[xX][0-9a-fA-F])", decode)
