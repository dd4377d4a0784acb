"""One message of a conversation: its text, who speaks, which way it goes, and what a detector may need to know around it."""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar, cast

import msgspec

from hauberk.core import Asset, Kind

T = TypeVar("T")


class Role(StrEnum):
    """Who speaks. `TOOL` and `DOCUMENT` carry text that nobody in the conversation wrote."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"
    DOCUMENT = "document"

    @property
    def trusted(self) -> bool:
        """Whether the operator of the application wrote it."""
        return self is Role.SYSTEM

    @property
    def foreign(self) -> bool:
        """Whether it came from outside the conversation: a tool's result, a retrieved document."""
        return self in {Role.TOOL, Role.DOCUMENT}


class Direction(StrEnum):
    """Towards the model or from it."""

    INPUT = "input"
    OUTPUT = "output"


class ToolSpec(msgspec.Struct, frozen=True):
    """A tool that the request offers to the model. `parameters` is its JSON Schema, empty when none was given."""

    name: str
    description: str = ""
    parameters: dict[str, object] = {}


class ToolCall(msgspec.Struct, frozen=True):
    """A call that the model makes. `arguments` is the JSON text as the model wrote it."""

    name: str
    arguments: str
    id: str = ""


class Context(msgspec.Struct, frozen=True):
    """The conversation around a message, as far as detectors judge by it."""

    system: tuple[str, ...] = ()  # the operator's prompts, against which leaks are measured
    canaries: tuple[str, ...] = ()  # tokens planted in those prompts that no answer may hold
    tools: tuple[ToolSpec, ...] = ()
    foreign: tuple[str, ...] = ()  # texts of tool results and documents: arguments taken from them are tainted
    user: tuple[str, ...] = ()  # what the user wrote: an argument found here too is the user's own


EMPTY = Context()


class MessageContent:
    """The text of one message as content, with a memo so that several detectors share what one of them worked out."""

    __slots__ = ("_data", "_memo", "call", "context", "direction", "role", "text")

    def __init__(
        self,
        text: str,
        role: Role = Role.USER,
        direction: Direction = Direction.INPUT,
        context: Context = EMPTY,
        call: ToolCall | None = None,
    ) -> None:
        self.text = text
        self.role = role
        self.direction = direction
        self.context = context
        self.call = call  # set when this is the model calling a tool; `text` is then the arguments
        self._data: bytes | None = None
        self._memo: dict[str, object] = {}

    @property
    def data(self) -> bytes:
        """The text in UTF-8; a lone surrogate becomes `?`, one byte, so that offsets stay simple to count."""
        if self._data is None:
            self._data = self.text.encode("utf-8", "replace")
        return self._data

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int = 0, length: int = -1) -> bytes:
        if offset == 0 and (length < 0 or length >= len(self.data)):
            return self.data
        return self.data[offset:] if length < 0 else self.data[offset : offset + length]

    def once(self, key: str, compute: Callable[[], T]) -> T:
        """What `compute` gave when it was first asked for under `key`."""
        if key not in self._memo:
            self._memo[key] = compute()
        return cast("T", self._memo[key])

    def byte_span(self, start: int, end: int) -> tuple[int, int]:
        """Byte offset and length of the characters from `start` to `end`."""
        if self.text.isascii():
            return start, end - start
        head = len(self.text[:start].encode("utf-8", "replace"))
        return head, len(self.text[start:end].encode("utf-8", "replace"))

    def char_span(self, offset: int, length: int) -> tuple[int, int]:
        """Where the bytes from `offset` lie in the text: first character and the one after the last."""
        if self.text.isascii():
            return offset, offset + length
        start = len(self.data[:offset].decode("utf-8", "replace"))
        return start, start + len(self.data[offset : offset + length].decode("utf-8", "replace"))


def message_asset(content: MessageContent, uri: str = "message:") -> Asset:
    """`content` as an asset of kind MESSAGE; its format is the role, so that rules may name it."""
    return Asset(uri=uri, kind=Kind.MESSAGE, format=content.role.value, content=content)


def message_of(asset: Asset) -> MessageContent | None:
    """The message in `asset`; None when it is an asset of another kind."""
    return asset.content if isinstance(asset.content, MessageContent) else None
