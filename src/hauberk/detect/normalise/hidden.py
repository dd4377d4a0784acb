"""Pieces of a text that nobody sees: unseen characters in numbers that mean something, and text that markup hides."""

import re
from collections.abc import Iterator

import msgspec

from hauberk.detect.normalise.decoders import tags, zero_width

_TAGS = re.compile("[\U000e0020-\U000e007f]{2,}|\U000e0001")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,}|[\U000e0110-\U000e01ef]{2,}")
# A joiner between letters of ASCII or ideographs has no work to do there; elsewhere only runs are odd.
_ZERO = re.compile(
    "[\u200b-\u200d\u2060-\u2064\ufeff\u00ad\u180e]{3,}|(?<=[!-~\u4e00-\u9fff])[\u200b-\u200d\u2060-\u2064\ufeff]+(?=[!-~\u4e00-\u9fff])"
)
_BIDI = re.compile("[\u202d\u202e]|[\u2066-\u2068](?=[^\u0590-\u08ff]{4})")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_UNSEEN = re.compile("[\u00ad\u180e\u200b-\u200d\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]|[\U000e0000-\U000e01ef]")
_STYLE = (
    r"display\s{0,4}:\s{0,4}none|visibility\s{0,4}:\s{0,4}hidden|font-size\s{0,4}:\s{0,4}0|opacity\s{0,4}:\s{0,4}0(?:\.0+)?\s{0,4}[;\"']|"
    r"(?:left|top|text-indent)\s{0,4}:\s{0,4}-\d{3,}|(?<![-\w])color\s{0,4}:\s{0,4}(?:white|transparent|#fff(?:fff)?\b)"
)
_COMMENT = re.compile(r"<!--(.{1,2000}?)-->", re.DOTALL)
_STYLED = re.compile(rf"<[a-zA-Z][^<>]{{0,300}}(?:{_STYLE}|\shidden\b)[^<>]{{0,300}}>([^<]{{1,2000}})", re.IGNORECASE)
_LINK = re.compile(r"^\[(?://|comment|[^\]\n]{0,30})\]: ?(?:#|<>) ?[\"'(](.{1,1000})[\"')]$", re.MULTILINE)


class Hidden(msgspec.Struct, frozen=True):
    """A hidden piece from character `start` to `end`: its kind, how many characters are hidden, and what they say if known."""

    kind: str
    start: int
    end: int
    count: int
    says: str = ""


def hidden_pieces(text: str) -> Iterator[Hidden]:
    """The hidden pieces of `text`. Unseen characters of one kind are one piece, from the first to the last."""
    if not text.isascii() and _UNSEEN.search(text) is not None:
        yield from _characters(text)
    if "<" in text or "[" in text:
        yield from _markup(text)


def _characters(text: str) -> Iterator[Hidden]:
    spans = [m.span() for m in _TAGS.finditer(text) if not text.endswith("\U0001f3f4", 0, m.start())]
    if spans:
        said = "".join(chr(ord(c) - 0xE0000) for a, b in spans for c in text[a:b] if 0xE0020 <= ord(c) < 0xE007F)
        yield _piece("tags", spans, said)
    spans = [m.span() for m in _SELECTORS.finditer(text)]
    if spans:
        yield _piece("selectors", spans, _decoded(text, spans))
    spans = [m.span() for m in _ZERO.finditer(text) if m.start() or text[0] != "\ufeff"]
    if spans:
        yield _piece("zero-width", spans, _decoded(text, spans))
    spans = [m.span() for m in _BIDI.finditer(text)]
    if spans and _RIGHT_TO_LEFT.search(text) is None:
        yield _piece("bidi", spans, "")


def _piece(kind: str, spans: list[tuple[int, int]], says: str) -> Hidden:
    return Hidden(kind, spans[0][0], spans[-1][1], sum(b - a for a, b in spans), says)


def _decoded(text: str, spans: list[tuple[int, int]]) -> str:
    hidden = "".join(text[a:b] for a, b in spans)
    found = zero_width.decode(hidden) or tags.decode(hidden)
    return found.text.strip() if found else ""


def _markup(text: str) -> Iterator[Hidden]:
    for pattern in (_COMMENT, _STYLED, _LINK):
        for found in pattern.finditer(text):
            says = found[1].strip()
            if says:
                yield Hidden("markup", *found.span(), len(says), says)
