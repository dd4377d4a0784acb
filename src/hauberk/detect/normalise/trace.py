"""Where each piece of a rewritten text came from."""

from bisect import bisect_right

import msgspec

Mark = tuple[int, int, int, bool]
"""Start in the new text; start and end in the old one; whether characters correspond one to one."""


class Trace:
    """Maps spans of a rewritten text back to the text it was made from."""

    __slots__ = ("_marks", "_starts")

    def __init__(self, marks: list[Mark]) -> None:
        self._marks = marks
        self._starts = [mark[0] for mark in marks]

    def back(self, start: int, end: int) -> tuple[int, int]:
        """The characters that `start` to `end` were made from: exact where copied, else the whole rewritten piece."""
        if not self._marks:
            return 0, 0
        new, old, stop, exact = self._marks[max(bisect_right(self._starts, start) - 1, 0)]
        first = min(old + start - new, stop) if exact else old
        new, old, stop, exact = self._marks[max(bisect_right(self._starts, max(start, end - 1)) - 1, 0)]
        last = min(old + end - new, stop) if exact else stop
        return first, max(first, last)


class Decoded(msgspec.Struct, frozen=True):
    """A text as one decoder rewrote it. `partial`: a bound of the decoder left some of the text as it was."""

    step: str
    text: str
    trace: Trace
    partial: bool = False


class Weave:
    """Builds a rewritten text from left to right: what is not replaced is copied."""

    __slots__ = ("_at", "_marks", "_parts", "_size", "_text", "count")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._size = 0
        self._parts: list[str] = []
        self._marks: list[Mark] = []
        self.count = 0

    def put(self, piece: str, start: int, end: int, *, exact: bool = False) -> None:
        """`piece` in place of the characters from `start` to `end`, which lie after everything put before."""
        self._copy(start)
        if piece:
            self._marks.append((self._size, start, end, exact))
            self._parts.append(piece)
            self._size += len(piece)
        self._at = end
        self.count += 1

    def _copy(self, upto: int) -> None:
        if upto > self._at:
            self._marks.append((self._size, self._at, upto, True))
            self._parts.append(self._text[self._at : upto])
            self._size += upto - self._at

    def done(self, step: str, *, partial: bool = False) -> Decoded | None:
        """The new text; None when nothing was replaced."""
        if not self.count:
            return None
        self._copy(len(self._text))
        text = "".join(self._parts)
        return None if text == self._text else Decoded(step, text, Trace(self._marks), partial)


def whole(step: str, text: str, old: str) -> Decoded | None:
    """All of `old` as `text`, without a finer trace; None when it says the same."""
    return Decoded(step, text, Trace([(0, 0, len(old), False)])) if text and text != old else None
