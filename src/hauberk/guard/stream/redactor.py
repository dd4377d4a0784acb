"""Redacting a text while it streams: values are found whole, wherever the chunks break. No I/O.

What arrives is held back up to the last break that no value can cross, so ordinary prose waits for one word or, in
Chinese, one clause. The finder must be local: whether a value stands at a place depends on at most `CONTEXT` characters
before it, and no value crosses a break.
"""

import re
from collections.abc import Iterable

from hauberk.detect.personal.span import Span
from hauberk.guard.redact import Find, Masker, merged, whole_key

HOLD = 256  # characters: about 64 tokens
LONG_HOLD = 8192  # characters of a value that is or began like a long secret
CONTEXT = 256  # characters already let out that a value is judged by

_STOPS = frozenset("\n。！？；，、")
_SPACES = frozenset(" \t\u3000")
# Beside these a space may stand inside a number, an address of mail with its @ spelled out, or hide something.
_INVISIBLE = frozenset(map(chr, (0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF)))
_JOINTS = _INVISIBLE | frozenset("0123456789()[]{}<>（）［］【】+@＋＠-－") | frozenset(map(chr, range(0xFF10, 0xFF1A)))
_SIGNS = frozenset(",;:!?|=*#")
_BIRTH = re.compile(r"(?i)born|birth|生|d\.?o\.?b")
_DATE = 64  # characters from such a word to the end of its date
_LONG = re.compile(r"eyJ[A-Za-z0-9_-]{8}|sk-|-----BEGIN|client-key-data|://[^\s]{0,80}:")
_RUN = re.compile(r"[A-Za-z0-9_+/=.~\\-]*")
_KEY_RUN = re.compile(r"(?:[A-Za-z0-9+/=\s\\])*")


class StreamRedactor:
    """`feed` gives what may go out, `end` the rest. `redacted` lists the values taken out so far by kind, in order."""

    def __init__(self, find: Find, masker: Masker | None = None, *, hold: int = HOLD) -> None:
        """`hold`: the most characters of ordinary text that wait; a long secret waits up to `LONG_HOLD`."""
        self._find = find
        self._masker = masker or Masker()
        self._hold = hold
        self._text = ""
        self._done = 0  # characters at the head of `_text` that went out
        self._seen = 0  # characters of `_text` that were searched for a break
        self._swallow: re.Pattern[str] | None = None  # what still belongs to a secret too long to hold
        self.redacted: list[str] = []

    @property
    def held(self) -> int:
        """Characters held back now."""
        return len(self._text) - self._done

    def feed(self, text: str) -> str:
        """What may go out now that `text` has arrived."""
        text = self._unswallowed(text)
        if not text:
            return ""
        self._text += text
        cut = last_break(self._text, max(self._done, self._seen - 1))
        self._seen = len(self._text)
        if cut is None:
            if self.held <= self._hold:
                return ""
            cut = self._done
        spans = self._spans()
        cut = _before(spans, cut, len(self._text))
        if len(self._text) - cut > self._hold:
            cut = self._forced(cut, spans)
        return self._out(cut, spans)

    def end(self) -> str:
        """What was held back, with its values taken out."""
        self._swallow = None
        return self._out(len(self._text), self._spans()) if self.held else ""

    def _unswallowed(self, text: str) -> str:
        if self._swallow is None:
            return text
        found = self._swallow.match(text)
        rest = text[found.end() :] if found else text
        if rest:
            self._swallow = None
        return rest

    def _spans(self) -> list[Span]:
        spans = merged(whole_key(self._text, span) for span in self._find(self._text))
        return [span for span in spans if span.end > self._done]

    def _forced(self, cut: int, spans: list[Span]) -> int:
        """Where the text is cut when no break came in time."""
        size = len(self._text)
        latest = size - self._hold
        crossing = next((span for span in spans if span.start <= latest < span.end), None)
        if crossing is None and (size - cut > LONG_HOLD or not _LONG.search(self._text, cut)):
            return latest
        if size - cut <= LONG_HOLD:
            return cut
        if crossing is not None and crossing.end == size:
            self._swallow = _KEY_RUN if "PRIVATE KEY" in self._text[: crossing.start] else _RUN
            return size
        return latest if crossing is None else crossing.end

    def _out(self, cut: int, spans: Iterable[Span]) -> str:
        parts: list[str] = []
        place = self._done
        for span in spans:
            if span.end > cut:
                break
            start = max(span.start, place)
            parts += (self._text[place:start], self._masker.placeholder(span.kind, self._text[start : span.end]))
            self.redacted.append(span.kind)
            place = span.end
        parts.append(self._text[place:cut])
        keep = max(0, cut - CONTEXT)
        self._text = self._text[keep:]
        self._done = cut - keep
        self._seen = max(0, self._seen - keep)
        return "".join(parts)


def _before(spans: Iterable[Span], cut: int, size: int) -> int:
    """`cut`, moved to the start of a value that it would break or that may go on."""
    for span in spans:
        if span.start < cut and (span.end > cut or span.end == size):
            return span.start
    return cut


def last_break(text: str, start: int) -> int | None:
    """The last place after `start` that no value crosses."""
    for place in range(len(text), start, -1):
        if _is_break(text, place):
            return place
    return None


def _is_break(text: str, place: int) -> bool:
    last = text[place - 1]
    if last in _STOPS:
        return True
    if last not in _SPACES or place == len(text):
        return False
    before, after = text[place - 2] if place > 1 else "\n", text[place]
    if _parts_number(text, before, after, place):
        return _BIRTH.search(text, max(0, place - _DATE), place) is None
    if before in _JOINTS or after in _JOINTS or (after.isupper() and before.isalnum()):
        return False
    # Addresses and plates may be written with a space between their parts.
    return before < "\u2e80" or after < "\u2e80"


def _parts_number(text: str, before: str, after: str, place: int) -> bool:
    """Whether the space at `place - 1` stands between a number and what is written beside it in none but a date of birth."""
    if "0" <= after <= "9":
        return "a" <= before <= "z" or before in _SIGNS or (before == "." and "a" <= text[max(0, place - 3)] <= "z")
    return "0" <= before <= "9" and ("a" <= after <= "z" or after in _SIGNS)
