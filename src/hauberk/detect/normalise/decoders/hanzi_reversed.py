"""Chinese written backwards, found by words of the trade in reverse."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.trace import Decoded, Weave

_WORDS = r"略忽|视无|记忘|令指|词示提|统系|则规|制限|束约|前之|上以|有所|露泄|出输|演扮|狱越|何如|作制|诉告"
_FOUND = re.compile(_WORDS)
_CLAUSE = re.compile(r"[^\n:：\"“”「」]+")


def decode(text: str) -> Decoded | None:
    """`text` with the clauses that hold two such words turned round."""
    weave = Weave(text)
    for found in _CLAUSE.finditer(text):
        if len(_FOUND.findall(found[0])) >= 2:
            weave.put(found[0][::-1], *found.span())
    return weave.done("reversed")


DECODER = Decoder("reversed-characters", rf"(?:{_WORDS}).*(?:{_WORDS})", decode)
