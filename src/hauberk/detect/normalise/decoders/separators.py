"""Whole words held together by signs instead of spaces: `ignore_all_previous_instructions`, `ignore.all.previous`."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.language import is_english
from hauberk.detect.normalise.trace import Decoded, Weave

_SPAN = re.compile(r"[A-Za-z]{1,20}(?:[_.\-*|~+/,;:]{1,3}[A-Za-z]{1,20}){4,}")
_SIGNS = re.compile(r"[^A-Za-z]+")


def decode(text: str) -> Decoded | None:
    """`text` with such stretches spaced, where they make up most of it."""
    spans = [m for m in _SPAN.finditer(text) if is_english(_SIGNS.sub(" ", m[0]), 0.85)]
    if not spans or sum(len(m[0]) for m in spans) * 2 < len(text):
        return None
    weave = Weave(text)
    for found in spans:
        weave.put(_SIGNS.sub(" ", found[0]), *found.span())
    return weave.done("separators")


DECODER = Decoder("separators", r"[A-Za-z]{1,20}(?:[_.\-*|~+/,;:]{1,3}[A-Za-z]{1,20}){4}", decode)
