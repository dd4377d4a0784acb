"""Order of words reversed, only where the text itself says so."""

import re

from hauberk.detect.normalise.decoder import Decoder
from hauberk.detect.normalise.trace import Decoded, Weave

_SAID = (
    r"(?i)(?:words?|sentence|order)[^.\n]{0,40}(?:revers|backward)|"
    r"(?:revers|backward)[^.\n]{0,40}(?:words?|sentence|order)|word[- ]?flip"
)
_CLAUSE = re.compile(r"[^\n:\"“”`]+")


def decode(text: str) -> Decoded | None:
    """`text` with the words of its longest clause, one without the announcement, in the other order."""
    clauses = [m for m in _CLAUSE.finditer(text) if m[0].count(" ") > 2 and not re.search(_SAID, m[0])]
    if not clauses:
        return None
    longest = max(clauses, key=_length)
    weave = Weave(text)
    start = longest.end() - len(longest[0].lstrip())
    weave.put(" ".join(reversed(longest[0].split())), start, longest.end())
    return weave.done("reversed-words")


def _length(found: re.Match[str]) -> int:
    return len(found[0])


DECODER = Decoder("reversed-words", _SAID, decode)
