"""Characters that a person does not see and a model reads: tags, bidirectional controls, zero-width marks."""

import re
from collections.abc import Iterator

import msgspec

# Tag characters spell ASCII that nothing shows; variation selectors beyond 16 carry bytes the same way.
_TAGS = re.compile("[\U000e0001-\U000e007f\U000e0100-\U000e01ef]+")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
# U+200C and U+200D are letters of the trade in Persian, Indic scripts and emoji: only runs of them, or among ASCII, are odd.
_ZERO = re.compile("[\u200b\u2060-\u2064\u180e\ufeff]|[\u200c\u200d]{2,}|(?<=[ -~])[\u200c\u200d](?=[ -~])")


class Hidden(msgspec.Struct, frozen=True):
    """A run of unseen characters: `kind` is tags, bidi or zero-width; `says` the ASCII that tags spell."""

    kind: str
    start: int
    count: int
    says: str = ""


def hidden_runs(text: str) -> Iterator[Hidden]:
    """The unseen characters of `text`, one item a kind and run. A flag emoji's own tag sequence is no run."""
    for match in _TAGS.finditer(text):
        if match.start() and text[match.start() - 1] == "\U0001f3f4":
            continue
        says = "".join(chr(ord(c) - 0xE0000) for c in match[0] if 0xE0020 <= ord(c) < 0xE007F)
        yield Hidden("tags", match.start(), len(match[0]), says)
    for kind, pattern in (("bidi", _BIDI), ("zero-width", _ZERO)):
        found = [m.start() for m in pattern.finditer(text) if m.start() or m[0] != "\ufeff"]
        if found:
            yield Hidden(kind, found[0], len(found))
