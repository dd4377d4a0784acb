"""Morse code in dots and dashes."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.language import is_english, segment
from hauberk.detect.normalise.trace import Decoded, Weave

_CODES: dict[str, str] = dict(
    zip(
        [
            ".-",
            "-...",
            "-.-.",
            "-..",
            ".",
            "..-.",
            "--.",
            "....",
            "..",
            ".---",
            "-.-",
            ".-..",
            "--",
            "-.",
            "---",
            ".--.",
            "--.-",
            ".-.",
            "...",
            "-",
            "..-",
            "...-",
            ".--",
            "-..-",
            "-.--",
            "--..",
            "-----",
            ".----",
            "..---",
            "...--",
            "....-",
            ".....",
            "-....",
            "--...",
            "---..",
            "----.",
            ".-.-.-",
            "--..--",
            "..--..",
            "-.-.--",
            "-..-.",
            ".-..-.",
            "---...",
            "-....-",
        ],
        'abcdefghijklmnopqrstuvwxyz0123456789.,?!/":-',
        strict=True,
    )
)
_SPAN = re.compile(r"[.\-·•−–—_]{1,6}(?:[ /|\n]{1,7}[.\-·•−–—_]{1,6}){5,}")
_PLAIN = str.maketrans("·•−–—_|\n", "..----//")


def decode(text: str) -> Decoded | None:
    """`text` with each run of Morse that spells English replaced by it."""
    weave = Weave(text)
    for found in _SPAN.finditer(text):
        words = re.split(r" */+ *| {3,}", found[0].translate(_PLAIN))
        said = " ".join("".join(_CODES.get(code, "\0") for code in word.split()) for word in words)
        if "\0" in said or len(set(said)) < 4:
            continue
        said = said if is_english(said, 0.4) else segment(said.replace(" ", ""), 0.5)
        if said:
            weave.put(said, *found.span())
    return weave.done("morse")


DECODER = Decoder("morse", r"[.\-·•−–—_]{1,6}(?:[ /|\n]{1,7}[.\-·•−–—_]{1,6}){5}", decode)
