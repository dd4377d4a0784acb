r"""Escapes of source code: `\u0069`, `\u{69}`, `\U00000069`, `U+0069`."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.trace import Decoded, Weave

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\u\{([0-9a-fA-F]{1,6})\}|\\U([0-9a-fA-F]{8})|[Uu]\+([0-9a-fA-F]{4,6}) ?")


def decode(text: str) -> Decoded | None:
    """`text` with escapes replaced, when at least two of them are letters."""
    weave = Weave(text)
    letters = 0
    for found in _ESCAPE.finditer(text):
        code = int(next(filter(None, found.groups())), 16)
        if code < 0x110000 and not 0xD800 <= code < 0xE000:
            letters += chr(code).isalpha()
            weave.put(chr(code), *found.span())
    return weave.done("escapes") if letters >= 2 else None


DECODER = Decoder("escapes", r"\\[uU][0-9a-fA-F{]|[Uu]\+[0-9a-fA-F]{4}", decode)
