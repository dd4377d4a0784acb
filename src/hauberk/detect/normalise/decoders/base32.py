"""Base32 in capitals, in prose or alone."""

import base64
import binascii
import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.language import is_decoded_text
from hauberk.detect.normalise.trace import Decoded, Weave

_SPAN = re.compile(r"\b[A-Z2-7]{16,}={0,6}")


def decode(text: str) -> Decoded | None:
    """`text` with each piece of base32 that spells text replaced by it."""
    weave = Weave(text)
    for found in _SPAN.finditer(text):
        plain = found[0].rstrip("=")
        try:
            said = base64.b32decode(plain + "=" * (-len(plain) % 8)).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue
        if is_decoded_text(said):
            weave.put(said, *found.span())
    return weave.done("base32")


DECODER = Decoder("base32", r"[A-Z2-7]{16}", decode)
