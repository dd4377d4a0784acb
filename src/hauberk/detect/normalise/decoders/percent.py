"""URL percent-encoding of words."""

import re
from urllib.parse import unquote

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.trace import Decoded, Weave

_SPAN = re.compile(r"(?:[\w.,!?'+~-]{0,40}(?:%[0-9A-Fa-f]{2})+){3,}[\w.,!?'+~-]{0,40}")


def decode(text: str) -> Decoded | None:
    """`text` with percent-encoded stretches decoded; `+` between them is a space."""
    weave = Weave(text)
    for found in _SPAN.finditer(text):
        said = unquote(found[0].replace("+", " "), errors="replace")
        if "\ufffd" not in said:
            weave.put(said, *found.span())
    return weave.done("url")


DECODER = Decoder("url", r"(?:%[0-9A-Fa-f]{2}[^ \n]{0,40}){3}", decode)
