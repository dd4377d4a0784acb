"""Base64, standard and URL-safe, in prose or alone, with or without padding or line breaks."""

import base64
import binascii
import re

from hauberk.detect.normalise.decoder import MAX_SPANS, Decoder
from hauberk.detect.normalise.language import is_decoded_text
from hauberk.detect.normalise.trace import Decoded, Weave

_SPAN = re.compile(r"[A-Za-z0-9+/_-]{12,}(?:\r?\n[A-Za-z0-9+/_-]{4,})*={0,2}")
_WORDLIKE = re.compile(r"[/_-]?[A-Z]?[a-z]+(?:[/_-]+[A-Z]?[a-z]+)*[/_-]?$|[A-Z_]+$|[0-9_-]+$")


def decode(text: str) -> Decoded | None:
    """`text` with each piece of base64 that spells text replaced by it."""
    weave = Weave(text)
    partial = False
    for number, found in enumerate(_SPAN.finditer(text)):
        if number >= MAX_SPANS:
            partial = True
            break
        said = _read(found[0])
        if said:
            weave.put(said, *found.span())
    return weave.done("base64", partial=partial)


def _read(piece: str) -> str:
    plain = "".join(piece.split()).rstrip("=")
    if _WORDLIKE.match(plain):
        return ""
    plain = plain.replace("-", "+").replace("_", "/")
    if len(plain) % 4 == 1:
        plain = plain[:-1]
    try:
        said = base64.b64decode(plain + "=" * (-len(plain) % 4)).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
    return said if is_decoded_text(said) else ""


DECODER = Decoder("base64", r"[A-Za-z0-9+/_-]{12}", decode)
