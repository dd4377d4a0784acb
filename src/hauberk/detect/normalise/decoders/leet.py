"""Leetspeak: digits and signs in place of letters."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.tables import english_words
from hauberk.detect.normalise.trace import Decoded, Weave

_PLAIN = str.maketrans("013456789@$!|+€£", "oieasgtbgasiltel")
_ONE_AS_L = str.maketrans("1", "l")
_WORD = re.compile(r"[A-Za-z0-9@$!|+€£]{2,24}")
_MIXED = re.compile(r"[0-9@$!|+€£]")
_LETTER = re.compile(r"[A-Za-z]")


def decode(text: str) -> Decoded | None:
    """`text` with at least two words of leetspeak, one of them of four letters, spelt in letters."""
    known = english_words()
    weave = Weave(text)
    longest = 0
    for found in _WORD.finditer(text):
        word = found[0]
        if not _MIXED.search(word):
            continue
        core = word.rstrip("!+|") or word
        if not _LETTER.search(core) and not (word[0] in "@$" or len(core) > 3):
            continue
        for said in (core.translate(_PLAIN).lower(), core.translate(_ONE_AS_L).translate(_PLAIN).lower()):
            if said != core.lower() and said in known:
                longest = max(longest, len(said))
                weave.put(said, found.start(), found.start() + len(core), exact=True)
                break
    return weave.done("leet") if longest > 3 and weave.count > 1 else None


DECODER = Decoder("leet", r"[A-Za-z][013456789@$!|+€£]+[A-Za-z]|\b[013456789@$][A-Za-z]+[0-9@$!]", decode)
