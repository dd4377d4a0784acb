"""Bytes as eight binary digits."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.language import is_text
from hauberk.detect.normalise.trace import Decoded, Weave

_SPAN = re.compile(r"(?:[01]{8}[ ,\n]{0,2}){4,}|(?:0?[01]{7}[ ,\n]{1,2}){4,}")


def decode(text: str) -> Decoded | None:
    """`text` with each run of binary bytes that spells text replaced by it."""
    weave = Weave(text)
    for found in _SPAN.finditer(text):
        piece = found[0].rstrip(" ,\n")
        groups = re.findall("[01]{7,8}", piece) if " " in piece or "," in piece else re.findall("[01]{8}", piece)
        said = bytes(int(group, 2) for group in groups).decode("utf-8", "replace")
        if "\ufffd" not in said and is_text(said):
            weave.put(said, found.start(), found.start() + len(piece))
    return weave.done("binary")


DECODER = Decoder("binary", r"(?:[01]{7,8}[ ,\n]{0,2}){4}", decode)
