"""Which arguments of a tool call were taken from text that nobody in the conversation wrote."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import islice
from posixpath import normpath
from urllib.parse import unquote

import msgspec

from hauberk.assets.chat import Context
from hauberk.detect.output.arguments import Leaf

MAX_FOREIGN = 2_000_000  # characters of foreign text that arguments are held against
_MAX_PARTS = 200  # of one argument
_PARTS = re.compile(
    r"(?P<url>[a-z][a-z0-9+.-]{1,20}://[^\s\"'<>，。；）]{1,2000})|(?P<mail>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})"
    r"|(?P<path>(?:[~.]{0,2}/|[a-z]:\\)[\w./\\-]{3,400})|(?P<host>\b[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,4}\.[a-z]{2,24}\b)"
    r"|(?P<account>\b[a-z]{2}\d{2}[a-z0-9]{8,30}\b)|(?P<number>(?<![\w.])\d[\d,]{2,40}(?:\.\d{1,6})?(?!\w))|(?P<handle>(?<!\w)[@#]\w{3,64})"
)
_WORDS = re.compile(r"[^\W_]+")
_DETOUR = re.compile(r"/\.?(?=/)|/[^/]{1,80}/\.\.(?=/)")
_SPLIT = re.compile(r"[\s.()-]+")
_LEAST = 8  # letters and digits of a number that is recognised without its separators
_RUN = 8  # words in a row that make copied prose


class Taint(msgspec.Struct, frozen=True):
    """An argument that came from outside: where it stands, what part of it, and of what kind."""

    where: str
    piece: str
    kind: str  # `value`, `url`, `mail`, `path`, `host`, `account`, `number`, `handle`, `text`


class Sources:
    """The conversation as arguments are held against it. Built once a message; linear in the conversation."""

    def __init__(self, context: Context) -> None:
        foreign = "\n".join(context.foreign)
        self.cut = len(foreign) > MAX_FOREIGN
        self._foreign = normal(foreign[:MAX_FOREIGN])
        self._own = normal("\n".join((*context.user, *context.system)))
        self._tight = tuple(_SPLIT.sub("", text) for text in (self._foreign, self._own))

    def brought(self, piece: str) -> bool:
        """Whether `piece` stands in foreign text, and in nothing that the user or the operator wrote."""
        return _stands(piece, self._foreign) and not _stands(piece, self._own)

    def brought_number(self, value: str) -> bool:
        """Whether `value` is a number (an account's, a telephone's) that foreign text alone has, however it is grouped."""
        tight = _SPLIT.sub("", value)
        if not (_LEAST <= len(tight) <= 40 and tight.isascii() and tight.isalnum() and sum(map(str.isdigit, tight)) >= 6):
            return False
        foreign, own = self._tight
        return tight in foreign and tight not in own


def normal(text: str) -> str:
    """`text` in NFKC, case-folded, one space for each run of spaces, without invisible characters and thousands' commas."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    shown = re.sub("[\u00ad\u200b-\u200f\u2060\ufeff]", "", folded)
    return re.sub(r"(?<=\d),(?=\d{3})", "", " ".join(shown.split()))


def taints(leaves: tuple[Leaf, ...], sources: Sources) -> Iterator[Taint]:
    """The arguments among `leaves` that were taken from foreign text, one line for each."""
    for leaf in leaves:
        found = _taint(leaf, sources)
        if found is not None:
            yield found


def _taint(leaf: Leaf, sources: Sources) -> Taint | None:
    value = normal(leaf.text)
    least = 3 if not value.isascii() else 4
    if leaf.fixed or (len(value) < least and not (value.isdigit() and len(value) >= 3)):
        return None
    for kind, piece in islice(_parts(value), _MAX_PARTS):
        if sources.brought(piece):
            return Taint(leaf.where, piece, kind)
    if len(value) <= 400 and (sources.brought(value) or sources.brought_number(value)):
        return Taint(leaf.where, value, "value")
    run = next((run for run in _runs(value) if sources.brought(run)), None)
    return Taint(leaf.where, run, "text") if run else None


def _parts(value: str) -> Iterator[tuple[str, str]]:
    """What of `value` names somebody or something, and what an address holds of the kind."""
    for part in _PARTS.finditer(value):
        kind = part.lastgroup or "value"
        yield kind, part[0].rstrip(".,;:/").removesuffix(".00")
        if kind == "mail":  # another name at the same place: the first was altered a little
            yield kind, part[0].partition("@")[2].rstrip(".")
        if kind == "path" and _DETOUR.search(part[0]):
            yield kind, normpath(_DETOUR.sub("/", part[0]))
        if kind == "url":
            yield from _parts(unquote(part[0].partition("://")[2]))


def _runs(value: str) -> Iterator[str]:
    """Stretches of `value` long enough that nobody writes them twice by chance."""
    words = list(islice(_WORDS.finditer(value), 4000))
    for at in range(0, len(words) - _RUN + 1, 4):
        yield value[words[at].start() : words[at + _RUN - 1].end()]
    for found in islice(re.finditer("[\u4e00-\u9fff，、]{12,}", value), _MAX_PARTS):
        yield from (found[0][at : at + 12] for at in range(0, min(len(found[0]) - 11, 2000), 6))


def _stands(piece: str, text: str) -> bool:
    """Whether `piece` stands in `text` as a whole: `art` does not stand in `party`."""
    at = text.find(piece)
    for _ in range(200):
        if at < 0:
            return False
        before, after = text[at - 1 : at], text[at + len(piece) : at + len(piece) + 1]
        if not (_joins(before, piece[0]) or _joins(after, piece[-1])):
            return True
        at = text.find(piece, at + 1)
    return False


def _joins(beside: str, edge: str) -> bool:
    return beside.isascii() and beside.isalnum() and edge.isascii() and edge.isalnum()
