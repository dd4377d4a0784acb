"""What every recogniser is made of: when it is worth running, its edges, and the words that vouch for a number."""

import re
from collections.abc import Callable, Iterator

import msgspec

from hauberk.core import Confidence
from hauberk.detect.personal.span import Span

# Edges of a number: it is no part of a longer one, of a word, a path, an amount, a decimal or a dashed identifier.
LEFT = r"(?<![0-9A-Za-z_$¥€£#/\\])(?<![0-9A-Za-z]-)(?<![0-9]\.)"
_AFTER_FIRST = r"(?<![0-9A-Za-z_$¥€£#/\\].)(?<![0-9A-Za-z]-.)(?<![0-9]\..)"
RIGHT = r"(?![0-9A-Za-z_])(?!-[0-9A-Za-z])(?!\.[0-9])"
LOOK_BACK = 48  # characters before a value that are searched for a label


class Recogniser(msgspec.Struct, frozen=True):
    """`find` reads a folded text in time linear in its length. `hint` is RE2 and matches whatever `find` can find."""

    kinds: tuple[str, ...]
    hint: str
    find: Callable[[str], Iterator[Span]]


def label(words: str) -> re.Pattern[str]:
    """A pattern for `labelled`: any of `words` (an alternation), at most 14 characters and no digit before the value."""
    return re.compile(rf"(?i)(?:{words})[^0-9\n。；;]{{0,14}}\Z")


# Names of numbers that identify no person.
_OTHER = label(
    r"订单|单号|流水|编号|运单|快递|物流|时间戳|版本|条码|序列|批号|货号|型号|群号|统计|大约|共计"
    r"|\border|tracking|invoice|ticket|\bref\b|serial|\bs/?n\b|is[bs]n|\bdoi\b|uuid|hash|commit|version|timestamp"
    r"|epoch|barcode|\bsku\b|\bport\b|\bpid\b|transaction|batch|build|\bpart\b|offset|address 0x|seed|\bcase\b|\bpmid\b"
)


def labelled(text: str, start: int, words: re.Pattern[str]) -> bool:
    """Whether a label stands before the value that begins at `start`."""
    return words.search(text, max(0, start - LOOK_BACK), start) is not None


def named_otherwise(text: str, start: int) -> bool:
    """Whether the number at `start` is said to be an order, a version or the like."""
    return labelled(text, start, _OTHER)


_CLUSTER = re.compile(r"[0-9](?:[^0-9\n]{0,3}[0-9]){6,}")
_DIGITS = re.compile("[0-9]+")


def first(characters: str) -> str:
    """One of `characters` with nothing before it that `LEFT` refuses; told after it, which lets `re` skip to it."""
    return f"{characters}{_AFTER_FIRST}"


def numbers(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Matches of `pattern`, which has seven digits or more and begins with a digit, or with `+` or `(` or both before it."""
    place = 0
    for cluster in _CLUSTER.finditer(text):
        for run in _DIGITS.finditer(text, cluster.start(), cluster.end()):
            start = run.start()
            if start < place:
                continue
            heads = range(max(0, start - 2), start + 1) if start and text[start - 1] in "(+" else (start,)
            found = next(filter(None, (pattern.match(text, head) for head in heads)), None)
            if found:
                place = found.end()
                yield found


def digits_of(piece: str) -> str:
    """The ASCII digits of `piece`."""
    return "".join(c for c in piece if "0" <= c <= "9")


def graded(text: str, start: int, words: re.Pattern[str], bare: Confidence | None) -> Confidence | None:
    """HIGH behind a label, else `bare`; None when the number is said to be something else."""
    if labelled(text, start, words):
        return Confidence.HIGH
    return None if named_otherwise(text, start) else bare
