r"""Bytes in hexadecimal: plain, spaced, `\x41`, `0x41`, with commas or colons."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.language import is_decoded_text
from hauberk.detect.normalise.trace import Decoded, Weave

_SPAN = re.compile(r"(?:(?:\\x|0x)?[0-9a-fA-F]{2}[ ,:;\n-]{0,2}){6,}")
_BYTE = re.compile(r"(?:\\x|0x)?([0-9a-fA-F]{2})")


def decode(text: str) -> Decoded | None:
    """`text` with each run of hexadecimal bytes that spells text replaced by it."""
    weave = Weave(text)
    for found in _SPAN.finditer(text):
        piece = found[0].rstrip(" ,:;\n-")
        try:
            said = bytes.fromhex("".join(_BYTE.findall(piece))).decode("utf-8")
        except (UnicodeDecodeError, ValueError):
            continue
        if is_decoded_text(said):
            weave.put(said, found.start(), found.start() + len(piece))
    return weave.done("hex")


DECODER = Decoder("hex", r"(?:(?:\\x|0x)?[0-9a-fA-F]{2}[ ,:;\n-]{0,2}){6}", decode)
