"""Bits hidden in zero-width characters, and bytes in variation selectors."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.language import is_hidden_text
from hauberk.detect.normalise.trace import Decoded, Weave

_BITS = re.compile("[\u200b-\u200d\u2060-\u2064\ufeff]{16,}")
_BYTES = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}")


def decode(text: str) -> Decoded | None:
    """`text` with what such runs spell in their place."""
    weave = Weave(text)
    runs = sorted([*((m, True) for m in _BITS.finditer(text)), *((m, False) for m in _BYTES.finditer(text))], key=_start)
    for found, bits in runs:
        said = _from_bits(found[0]) if bits else _from_selectors(found[0])
        if said:
            weave.put(f" {said} ", *found.span())
    return weave.done("hidden-bits")


def _start(run: tuple[re.Match[str], bool]) -> int:
    return run[0].start()


def _from_bits(run: str) -> str:
    kinds = sorted(set(run), key=run.count, reverse=True)[:3]
    if len(kinds) < 2:
        return ""
    for zero, one in ((kinds[0], kinds[1]), (kinds[1], kinds[0])):
        bits = "".join("0" if c == zero else "1" for c in run if c in (zero, one))
        for size in (8, 7):
            said = "".join(chr(int(bits[i : i + size], 2)) for i in range(0, len(bits) - size + 1, size))
            if is_hidden_text(said):
                return said
    return ""


def _from_selectors(run: str) -> str:
    data = bytes(ord(c) - 0xFE00 if c <= "\ufe0f" else ord(c) - 0xE0100 + 16 for c in run)
    said = data.decode("utf-8", "replace")
    return said if "\ufffd" not in said and is_hidden_text(said) else ""


DECODER = Decoder("hidden-bits", "[\u200b-\u200d\u2060-\u2064\ufeff]{16}|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4}", decode)
