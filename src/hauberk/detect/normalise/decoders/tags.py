"""ASCII hidden in Unicode tag characters."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.trace import Decoded, Weave

_SPAN = re.compile("[\U000e0001-\U000e007f]+")


def decode(text: str) -> Decoded | None:
    """`text` with the tags spelt out; the tag sequence of a flag stays."""
    weave = Weave(text)
    for found in _SPAN.finditer(text):
        if not text.endswith("\U0001f3f4", 0, found.start()):
            said = "".join(chr(ord(c) - 0xE0000) for c in found[0] if 0xE0020 <= ord(c) < 0xE007F)
            weave.put(f" {said} ", *found.span())
    return weave.done("unicode-tags")


DECODER = Decoder("unicode-tags", "[\U000e0020-\U000e007e]{2}", decode)
