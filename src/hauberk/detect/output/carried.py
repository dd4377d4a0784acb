"""What an address carries out: words of the conversation, encoded text, values nobody could have put there beforehand."""

import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import unquote

import msgspec

from hauberk.assets.chat import Context
from hauberk.detect.output.encoded import value_texts
from hauberk.detect.output.links import Address

MAX_CONTEXT = 300_000  # characters of the conversation
MAX_VALUES = 64  # parts of one address
_WORD = re.compile(r"[A-Za-z0-9@._+-]{3,}|[\u4e00-\u9fff]{2,}")
_PROSE = re.compile(r"[A-Za-z]{2,}|[\u4e00-\u9fff]")
_TELLING = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{2,63}|\b(?=\w*\d)(?=\w*[A-Za-z])[\w-]{10,}\b")
_NUMBER = re.compile(r"\d{6,19}")
_JOINTS = re.compile(r"(?<=\d)[\s._-](?=\d)")
_BLANK = re.compile(
    r"(?i)(?:\{\{?|\[|<|\$\{?|%7b|%5b)\s*"
    r"(?:data|conversation|history|chat|message|messages|user[_ ]?\w{0,20}|secret\w{0,10}|summary"
    r"|password|prompt|system[_ ]?prompt|email|context|token|name|content"
    r"|对话\w{0,4}|聊天记录|用户\w{0,6}|密码|内容)\s*(?:\}\}?|\]|>|%7d|%5d)"
)
_SIGNED = re.compile(
    r"(?i)^(?:x-amz-|x-goog-|x-oss-|sig|signature|hash|token|expires|policy|key-pair-id|e$|v$|oh$|oe$|ixid|integrity)"
)
_RANDOM = re.compile(r"[A-Za-z0-9+/_=-]{80,}")


_HOST = "\0host"


class Carried(msgspec.Struct, frozen=True):
    """What was found in an address: `how` is `value`, `conversation`, `encoded`, `blank`, `prose` or `opaque`.

    `value`: a number, an address or a token of the conversation, in the query, the fragment or the host; `conversation`: one in
    the path, or several of its words.
    """

    how: str
    note: str


def carried(address: Address, url: str, around: "Around") -> Carried | None:
    """What `address` carries out of the conversation, if anything. An address given in the conversation carries nothing new."""
    if url in around.given:
        return None
    values = [pair for pair in islice(_values(address), MAX_VALUES) if pair[0] != _HOST or not around.names(address.host)]
    if _BLANK.search(f"{address.path}?{address.query}"):
        return Carried("blank", "a place in the address waits to be filled with the conversation")
    for name, value in (*values, _joined(values)):
        texts = value_texts(value)
        if any(around.tells(text) for text in texts):
            return Carried("value" if name else "conversation", "the address holds a value of the conversation")
        if any(around.repeats(text) for text in texts):
            return Carried("conversation", "the address holds words of the conversation")
        if any(_is_prose(text) for text in texts if text not in {value, unquote(value), unquote(value).replace("+", " ")}):
            return Carried("encoded", "the address holds encoded text")
    for name, value in values:
        if name == _HOST:
            continue
        if name and _is_prose(unquote(value.replace("+", " ")), 5):
            return Carried("prose", "the address holds sentences")
        if name and not _SIGNED.match(name) and _RANDOM.fullmatch(unquote(value)):
            return Carried("opaque", "the address holds a long unreadable value")
    return None


def _values(address: Address) -> Iterator[tuple[str, str]]:
    """Name and value of each parameter; parts of the path under no name, labels of the host under one of their own."""
    for part in re.split(r"[&;#]", address.query, maxsplit=MAX_VALUES):
        name, equals, value = part.partition("=")
        yield (name, value) if equals else ("query", name)
    for part in address.path.split("/", MAX_VALUES):
        if len(part) >= 6:
            yield "", part
    for label in address.host.split(".")[:-2]:
        if len(label) >= 6:
            yield _HOST, label


def _joined(values: list[tuple[str, str]]) -> tuple[str, str]:
    """The digits of all named values in a row: a number may be spread over them."""
    named = [value for name, value in values if name]
    return ("joined", "".join(filter(str.isdecimal, "".join(named))) if len(named) > 1 else "")


def _is_prose(text: str, least: int = 3) -> bool:
    return len(text) >= 12 and sum(1 for _ in islice(_PROSE.finditer(text), least)) >= least


class Around:
    """The conversation as what may be carried out is held against it. Built once a message; linear in the conversation."""

    def __init__(self, context: Context) -> None:
        self.given = "\n".join((*context.user, *context.system, *context.foreign))
        self.cut = len(self.given) > MAX_CONTEXT  # whether the conversation is longer than is compared
        self.given = self.given[:MAX_CONTEXT]
        self._folded = self.given.casefold()
        self._tight = _JOINTS.sub("", self._folded)
        self._shingles = frozenset(_shingles(self._folded))

    def names(self, host: str) -> bool:
        """Whether the conversation speaks of `host`."""
        return host in self._folded

    def tells(self, text: str) -> bool:
        """Whether `text` holds a telling value of the conversation: an address, a token, a number, grouped or backwards."""
        folded = text.casefold()
        if any(found[0] in self._folded for found in islice(_TELLING.finditer(folded), MAX_VALUES)):
            return True
        readings = dict.fromkeys((folded, _JOINTS.sub("", folded)))
        numbers = [found[0] for reading in readings for found in islice(_NUMBER.finditer(reading), MAX_VALUES)]
        return any(number in self._tight or (len(number) >= 8 and number[::-1] in self._tight) for number in numbers)

    def repeats(self, text: str) -> bool:
        """Whether `text` repeats several words of the conversation in order."""
        return not self._shingles.isdisjoint(_shingles(text.casefold()))


def _shingles(text: str) -> Iterator[str]:
    """Four words in a row, and ten Chinese characters in a row."""
    words: list[str] = []
    for found in _WORD.finditer(text):
        word = found[0]
        if word[0] >= "\u4e00":
            yield from (word[at : at + 10] for at in range(len(word) - 9))
        words = [*words[-3:], word]
        if len(words) == 4:
            yield " ".join(words)
