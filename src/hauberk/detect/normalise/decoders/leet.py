"""Leetspeak: digits and signs in place of letters."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.tables import english_words
from hauberk.detect.normalise.trace import Decoded, Weave

_PLAIN = str.maketrans("013456789@$!|+€£", "oieasgtbgasiltel")
_ONE_AS_L = str.maketrans("1", "l")
_WORD = re.compile(r"[A-Za-z0-9@$!|+€£]{1,24}")
_MIXED = re.compile(r"[0-9@$!|+€£]")
_LETTER = re.compile(r"[A-Za-z]")


def decode(text: str) -> Decoded | None:
    """`text` in letters, when at least two of its words, one of them of four letters, are English only as leetspeak."""
    known = english_words()
    words = [(*found.span(), found[0].rstrip("!+|") or found[0]) for found in _WORD.finditer(text) if _MIXED.search(found[0])]
    sure = [said for _, _, core in words if _LETTER.search(core) and (said := _known(core, known))]
    if len(sure) < 2 or max(map(len, sure)) < 4 or len(sure) * 3 < len(words):
        return None
    weave = Weave(text)
    for start, _, core in words:
        said = _known(core, known) or (core.translate(_PLAIN) if _LETTER.search(core) else "")
        if said:
            weave.put(said, start, start + len(core), exact=True)
    return weave.done("leet")


def _known(core: str, known: frozenset[str]) -> str:
    """The English word that `core` is in leetspeak; empty when it is none, or needs no reading."""
    for said in (core.translate(_PLAIN).lower(), core.translate(_ONE_AS_L).translate(_PLAIN).lower()):
        if said != core.lower() and said in known:
            return said
    return ""


DECODER = Decoder("leet", r"[A-Za-z][013456789@$!|+€£]+[A-Za-z]|\b[013456789@$][A-Za-z]+[0-9@$!]", decode)
