"""Canary tokens in a text that may arrive in pieces: plain, split, spaced, reversed or encoded.

Letters and digits are all that is compared, so that spaces, hyphens, zero-width and other characters between them hide
nothing. A token rewritten by a cipher of the model's own making, or described in words, is out of scope.
"""

import base64
import codecs
import re
from bisect import bisect_right
from collections.abc import Iterator

import msgspec

PIECE = 6  # characters: a token is also looked for in pieces of this size
MOST = 0.6  # share of the pieces that must be there
_RUN = re.compile(r"[0-9A-Za-z]+")
_SINGLE = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z](?![0-9A-Za-z])")
_SHORTEST = 8  # letters and digits; shorter tokens are found in ordinary text


class Leak(msgspec.Struct, frozen=True):
    """Part of the instructions in an answer: characters `start` to `end` of it (of the whole stream, if it streams)."""

    kind: str  # `canary`, `overlap` or `quote`
    form: str  # how it was written: `plain`, `spaced`, `base64`, `reversed`, `pieces` ...; `verbatim` for prompts
    start: int
    end: int
    words: float = 0.0  # copied; a Chinese character counts as 0.6
    share: float = 0.0  # of the prompt that has been copied so far, 0..1


class CanaryWatch:
    """Looks for `canaries` in a text fed in pieces. Each `feed` costs what is new and a tail of fixed length."""

    def __init__(self, canaries: tuple[str, ...]) -> None:
        self._canaries = tuple(dict.fromkeys(c for c in canaries if c))
        forms = [(number, *form) for number, canary in enumerate(self._canaries) for form in forms_of(canary)]
        self._exact = [(n, name, needle) for n, name, needle, folds in forms if not folds]
        self._folded = [(n, name, needle) for n, name, needle, folds in forms if folds]
        self._longest = max((len(needle) for _, _, needle, _ in forms), default=0)
        self._pieces = [_pieces(canary) for canary in self._canaries]
        self._seen: list[dict[str, int]] = [{} for _ in self._canaries]
        self._stream = _Squeezed(self._longest)
        self._singles = _Squeezed(self._longest)
        self._raw = ""
        self._edge = ""  # the last two characters: whether a letter stands alone is known one character later
        self._read = 0
        self._done: set[int] = set()

    def feed(self, text: str) -> Iterator[Leak]:
        """The canaries that `text` completes; each is reported once."""
        if not self._canaries or not text:
            return
        runs = [(found.start() + self._read, found[0]) for found in _RUN.finditer(text)]
        singles = list(self._lone(text))
        raw, raw_start = self._raw + text, self._read - len(self._raw)
        self._read += len(text)
        for number, canary in enumerate(self._canaries):
            at = raw.find(canary) if number not in self._done else -1
            if at >= 0:
                yield self._report(number, "plain", raw_start + at, raw_start + at + len(canary))
        self._raw = raw[-max(map(len, self._canaries)) :]
        for stream, form in ((self._stream, ""), (self._singles, "letter by letter")):
            fresh = runs if stream is self._stream else singles
            if fresh:
                stream.add(fresh)
                yield from self._search(stream, form)
        if runs:
            yield from self._in_pieces()

    def end(self) -> Iterator[Leak]:
        """What the last character completes."""
        yield from self.feed(" ")

    def _lone(self, text: str) -> Iterator[tuple[int, str]]:
        """Letters that stand alone, all but the newest character of the stream being judged."""
        near = self._edge + text
        first = self._read - len(self._edge)
        decided = len(self._edge) - 1
        self._edge = near[-2:]
        for found in _SINGLE.finditer(near):
            if decided <= found.start() < len(near) - 1:
                yield first + found.start(), found[0]

    def _search(self, stream: "_Squeezed", form: str) -> Iterator[Leak]:
        for needles, text in ((self._exact, stream.text), (self._folded, stream.text.lower())):
            for number, name, needle in needles:
                at = text.find(needle) if number not in self._done else -1
                if at >= 0:
                    start, end = stream.place(at), stream.place(at + len(needle) - 1) + 1
                    yield self._report(number, form or name, start, end)

    def _in_pieces(self) -> Iterator[Leak]:
        """A token whose pieces stand apart: most of them, for a cut may fall inside some."""
        text = self._stream.text.lower()
        for number, pieces in enumerate(self._pieces):
            if number in self._done:
                continue
            seen = self._seen[number]
            for piece in pieces - seen.keys():
                at = text.find(piece)
                if at >= 0:
                    seen[piece] = self._stream.place(at)
            if pieces and len(seen) >= max(2, MOST * len(pieces)):
                yield self._report(number, "pieces", min(seen.values()), max(seen.values()) + PIECE)

    def _report(self, number: int, form: str, start: int, end: int) -> Leak:
        self._done.add(number)
        return Leak("canary", form, start, max(end, start + 1))


class _Squeezed:
    """The letters and digits at the end of a stream, with their places in it."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self.text = ""
        self.base = 0  # squeezed characters before `text`
        self._at: list[int] = []
        self._places: list[int] = []

    def add(self, runs: list[tuple[int, str]]) -> None:
        """Appends runs of letters and digits; what lies too far back to matter is dropped first."""
        drop = len(self.text) - self._kept
        if drop > 0:
            self.text, self.base = self.text[drop:], self.base + drop
            first = max(0, bisect_right(self._at, self.base) - 1)
            del self._at[:first], self._places[:first]
        at = self.base + len(self.text)
        for place, run in runs:
            self._at.append(at)
            self._places.append(place)
            at += len(run)
        self.text += "".join(run for _, run in runs)

    def place(self, index: int) -> int:
        """Where the character `index` of `text` stands in the stream."""
        at = bisect_right(self._at, self.base + index) - 1
        return self._places[at] + self.base + index - self._at[at]


def squeezed(text: str) -> str:
    """The letters and digits of ASCII in `text`."""
    return "".join(_RUN.findall(text))


def _pieces(canary: str) -> frozenset[str]:
    """The token cut up; nothing when it is short, or made of words, whose pieces stand in ordinary text."""
    plain = squeezed(canary).lower()
    if len(plain) < 2 * _SHORTEST or sum(c.isdigit() for c in plain) * 4 < len(plain):
        return frozenset()
    return frozenset(plain[at : at + PIECE] for at in range(0, len(plain) - PIECE + 1, PIECE))


def forms_of(canary: str) -> Iterator[tuple[str, str, bool]]:
    """How `canary` may be written: name of the form, its letters and digits, whether case is ignored.

    Base64 and base32 are cut so that they are found wherever the token stands in the encoded text.
    """
    plain = squeezed(canary)
    data = canary.encode()
    if len(plain) >= _SHORTEST:
        yield "spaced", plain.lower(), True
        yield "reversed", plain[::-1].lower(), True
        yield "rot13", codecs.encode(plain, "rot13").lower(), True
    if len(data) < _SHORTEST:
        return
    yield "hex", data.hex(), True
    yield "hex", "x".join(f"{byte:02x}" for byte in data), True  # \x68\x62; 0x68 reads 0x680x62
    yield "hex", "0x".join(f"{byte:02x}" for byte in data), True
    yield "decimal", "".join(str(byte) for byte in data), True
    yield "binary", "".join(f"{byte:08b}" for byte in data), True
    for shift in range(3):
        yield "base64", squeezed(_inner(base64.b64encode(b"\0" * shift + data).decode(), shift, len(data), 3, 4)), False
        backward = data[::-1]
        yield "base64", squeezed(_inner(base64.b64encode(b"\0" * shift + backward).decode(), shift, len(data), 3, 4)), False
    for shift in range(5):
        yield "base32", _inner(base64.b32encode(b"\0" * shift + data).decode(), shift, len(data), 5, 8).lower(), True


def _inner(encoded: str, shift: int, length: int, group: int, digits: int) -> str:
    """The digits of `encoded` that depend on nothing but the `length` bytes after the first `shift`."""
    first = -(-shift * digits // group)  # rounded up: a digit shared with what stands before is left out
    last = (shift + length) * digits // group
    return encoded[first:last]
