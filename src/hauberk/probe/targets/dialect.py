"""What a dialect of model API is: requests to bodies, answers to replies, without I/O."""

from typing import Protocol

import msgspec

from hauberk.probe.targets.api_errors import ApiError
from hauberk.probe.targets.sse import Event
from hauberk.probe.targets.target import Abilities, Reply, Request


class BadAnswer(ValueError):
    """The answer is not what the API promises; the message says in which way."""


class Broken(BadAnswer):
    """The stream ended before its end was said."""


class Told(Exception):
    """An error inside an answer with status 200. `reply` is what had come before it."""

    def __init__(self, error: ApiError, reply: Reply | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.reply = reply or Reply("")


class Wish(msgspec.Struct, frozen=True):
    """How to ask, beside what to ask: the model, as a stream or not, and which parameters the API has refused before."""

    model: str
    stream: bool = False
    refused: frozenset[str] = frozenset()


class StreamReader(Protocol):
    """Reads one streamed answer."""

    def take(self, event: Event) -> bool:
        """Takes the next event; True when it was the last. Raises BadAnswer or Told."""
        ...

    def reply(self, *, cut: bool) -> Reply:
        """The answer. Raises Broken when it has not ended and we did not cut it."""
        ...


class Dialect(Protocol):
    """One API of models."""

    path: str  # under the base address
    models: str  # the same, of the list of models
    root: str  # the base's path when the address has none

    def abilities(self, *, tools: bool, images: bool, prefill: bool) -> Abilities:
        """What it takes, given what the model takes."""
        ...

    def headers(self, key: str) -> dict[str, str]:
        """The headers that carry the API key, if there is one, and the API's version."""
        ...

    def body(self, request: Request, wish: Wish) -> dict[str, object]:
        """The request's body."""
        ...

    def read(self, body: bytes) -> Reply:
        """The whole answer. Raises BadAnswer or Told."""
        ...

    def reader(self) -> StreamReader:
        """A reader for a streamed answer."""
        ...
