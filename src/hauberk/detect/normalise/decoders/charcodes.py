r"""Characters as their numbers, decimal or octal: `73 103 110`, `chr(73)+chr(103)`, `\\111\\147`."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.language import is_text
from hauberk.detect.normalise.trace import Decoded, Weave

_SPAN = re.compile(r"(?:(?:chr\(|\\)?[0-9]{2,5}\)?[ ,;+.\n]{0,3}){5,}")
_NUMBER = re.compile("[0-9]{2,5}")


def decode(text: str) -> Decoded | None:
    """`text` with each list of character codes that spells text replaced by it."""
    weave = Weave(text)
    for found in _SPAN.finditer(text):
        piece = found[0].rstrip(" ,;+.\n")
        numbers = _NUMBER.findall(piece)
        said = _spelt(numbers, 10) or _spelt(numbers, 8)
        if said:
            weave.put(said, found.start(), found.start() + len(piece))
    return weave.done("charcodes")


def _spelt(numbers: list[str], base: int) -> str:
    try:
        codes = [int(number, base) for number in numbers]
    except ValueError:
        return ""
    if any(code > 0x9FFF or (code < 32 and code not in (9, 10)) for code in codes) or len(set(codes)) < 4:
        return ""
    said = "".join(map(chr, codes))
    return said if sum(c.isalpha() or c == " " for c in said) * 5 > len(said) * 4 and is_text(said) else ""


DECODER = Decoder("charcodes", r"(?:[0-9]{2,5}\)?[ ,;+.\n]{1,3}(?:chr\()?){5}|(?:\\[0-7]{2,3}){5}", decode)
