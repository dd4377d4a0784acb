"""Collects the texts of a body: what is known by its place, and whatever else could reach a model."""

import re
from collections.abc import Container
from typing import Any, cast

from hauberk.assets.chat import Role, ToolCall, ToolSpec
from hauberk.guard.dialects.bodies import Body, compact
from hauberk.guard.exchange import BadRequest, Image, Path, Piece

MOST_PIECES = 20_000
_PLAIN = re.compile(r"[A-Za-z0-9_.+-]{1,24}")  # an identifier, an enum's value: too little to tell a model anything
_NO_KEYS: Container[str] = frozenset[str]()


class Gatherer:
    """Pieces, images and notes of what was not read, in the order of the body. Raises BadRequest over `MOST_PIECES`."""

    def __init__(self, *, every: bool = False) -> None:
        """`every`: identifiers count as texts too, as they do in answers, where one word may be the secret."""
        self._every = every
        self.pieces: list[Piece] = []
        self.images: list[Image] = []
        self.tools: list[ToolSpec] = []
        self.unread: list[str] = []

    def text(self, text: str, role: Role, path: Path, call: ToolCall | None = None) -> None:
        """A text at `path`; empty ones are passed over."""
        if not text:
            return
        if len(self.pieces) >= MOST_PIECES:
            raise BadRequest(f"over {MOST_PIECES} texts in one body; send fewer messages", name_of(path[:1]))
        self.pieces.append(Piece(text, role, path, call))

    def image(self, url: str, path: Path) -> None:
        """An image, or its address."""
        if len(self.images) >= MOST_PIECES:
            raise BadRequest(f"over {MOST_PIECES} images in one body", name_of(path[:1]))
        self.images.append(Image(url, path))

    def skipped(self, path: Path, what: str) -> None:
        """Something at `path` that reaches the model and is not read."""
        if len(self.unread) < 100:
            self.unread.append(f"{name_of(path)}: {what}"[:200])

    def optional(self, holder: Body, key: str, role: Role, path: Path) -> None:
        """The text at `key` of `holder`, if there is one. Raises BadRequest when it is something else."""
        value = holder.get(key)
        if value is None:
            return
        if type(value) is not str:
            raise BadRequest(f"{name_of((*path, key))} must be a string", name_of((*path, key)))
        self.text(value, role, (*path, key))

    def call(self, name: Any, arguments: Any, role: Role, path: Path, call_id: Any = "") -> None:
        """A tool's call with its arguments, which are JSON text or an object at `path`."""
        text = arguments if isinstance(arguments, str) else compact(arguments) if arguments is not None else ""
        self.text(text, role, path, ToolCall(_string(name), text, _string(call_id)))

    def strays(self, value: Any, role: Role, path: Path, known: Container[str] = _NO_KEYS) -> None:
        """Every text in `value` that is more than an identifier, but for what stands under the `known` keys at its top."""
        if isinstance(value, str):
            if (self._every and path[-1:] != ("type",)) or not _PLAIN.fullmatch(value):
                self.text(value, role, path)
        elif isinstance(value, dict):
            for key, member in cast("Body", value).items():
                if key not in known:
                    self.strays(member, role, (*path, key))
        elif isinstance(value, list):
            for index, member in enumerate(cast("list[Any]", value)):
                self.strays(member, role, (*path, index))


def name_of(path: Path) -> str:
    """A path as error messages spell it: `messages[0].content`."""
    spelled = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return spelled.removeprefix(".")[:120]


def plain(text: str) -> bool:
    """Whether `text` is an identifier of ordinary length."""
    return _PLAIN.fullmatch(text) is not None


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
