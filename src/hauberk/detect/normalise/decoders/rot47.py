"""ROT47: every printable ASCII character shifted by 47."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.language import is_english
from hauberk.detect.normalise.trace import Decoded, Weave

_TABLE = {c: 33 + (c - 33 + 47) % 94 for c in range(33, 127)}
_SPAN = re.compile(r"(?:[!-~]{1,24} ){2,}[!-~]{1,24}")


def decode(text: str) -> Decoded | None:
    """`text` with the stretches that ROT47 makes English replaced."""
    weave = Weave(text)
    for found in _SPAN.finditer(text):
        said = found[0].translate(_TABLE)
        if is_english(said) and not is_english(found[0], 0.3):
            weave.put(said, *found.span(), exact=True)
    return weave.done("rot47")


DECODER = Decoder("rot47", r"(?:[2-Kx-z{|}]{3,}[ -/]+){2}", decode)
