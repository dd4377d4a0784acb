"""Where code stands in a Markdown text, and what is said around it."""

import re
from bisect import bisect_right

import msgspec

_FENCE = re.compile(r"^[ ]{0,3}(?:>[ ]?)?(?:[-*][ ]|\d{1,3}\.[ ])?[ ]{0,8}(`{3,64}|~{3,64})([^\n`]{0,80})", re.MULTILINE)
_INLINE = re.compile(r"`[^`\n]{1,400}`")
_WORD = re.compile(r"[A-Za-z]{2,}|[\u4e00-\u9fff]")
_ENOUGH = 12  # words or Chinese characters beside the code that make it an explanation


class Fence(msgspec.Struct, frozen=True):
    """A fenced block: characters from `start` to `end` of the text, fences included; `language` as its author named it."""

    start: int
    end: int
    language: str = ""


class CodeMap:
    """Which characters of a Markdown text are code. Linear in the text."""

    def __init__(self, text: str) -> None:
        self.fences = tuple(_fences(text))
        spans = [(f.start, f.end) for f in self.fences]
        spans.extend(_inline(text, self.fences) if "`" in text else ())
        spans.sort()
        self._starts = [start for start, _ in spans]
        self._ends = [end for _, end in spans]
        self.explained = bool(spans) and _words_outside(text, self.fences) >= _ENOUGH

    def holds(self, position: int) -> bool:
        """Whether the character at `position` is inside a fenced block or a code span."""
        at = bisect_right(self._starts, position) - 1
        return at >= 0 and position < self._ends[at]


def _fences(text: str) -> list[Fence]:
    """Blocks from an opening fence to one at least as long of the same character, or to the end of the text."""
    found: list[Fence] = []
    start, mark, language = -1, "", ""
    for line in _FENCE.finditer(text):
        fence, info = line[1], line[2].strip()
        if start < 0:
            start, mark, language = line.start(), fence, info.partition(" ")[0].lower()
        elif fence[0] == mark[0] and len(fence) >= len(mark) and not info:
            found.append(Fence(start, line.end(), language))
            start = -1
    if start >= 0:
        found.append(Fence(start, len(text), language))
    return found


def _inline(text: str, fences: tuple[Fence, ...]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    at = 0
    for fence in (*fences, Fence(len(text), len(text))):
        found.extend(span.span() for span in _INLINE.finditer(text, at, fence.start))
        at = fence.end
    return found


def _words_outside(text: str, fences: tuple[Fence, ...]) -> int:
    count = at = 0
    for fence in (*fences, Fence(len(text), len(text))):
        for _ in _WORD.finditer(text, at, fence.start):
            count += 1
            if count >= _ENOUGH:
                return count
        at = fence.end
    return count
