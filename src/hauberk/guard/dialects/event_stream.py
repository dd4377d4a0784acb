"""What the streams of all APIs have in common: server-sent events of JSON objects, each decoded and encoded anew."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping

from hauberk.guard.dialects.bodies import Body, Malformed, decode_mended
from hauberk.guard.dialects.dialect import BadUpstream, Delta, Refusal
from hauberk.guard.dialects.fields import raise_error
from hauberk.guard.dialects.sse import EventReader

MOST_CHANNELS = 1024
KEPT_OPEN = b":\n\n"  # a comment, for an upstream's own
DONE = b"data: [DONE]\n\n"
_BRACE = ord("{")


class JsonStream(ABC):
    """Reads one stream. Implements `dialect.EventStream` but for what each API says in its own way."""

    def __init__(self, *, model: str) -> None:
        """`model`: the name that clients are told, when it is another than the upstream's."""
        self._model = model
        self._reader = EventReader()
        self._done = False  # whether the stream's last event has passed; what follows is dropped

    @abstractmethod
    def made(self, channel: str, text: str) -> bytes:
        """A new event that carries `text` on `channel`; empty when the API has none."""

    @abstractmethod
    def restated(self, delta: Delta, sent: Mapping[str, str]) -> bytes:
        """`delta`, which repeats texts, with what was sent in their place."""

    @abstractmethod
    def ended(self, channel: str, finish: str) -> bytes:
        """A new event that ends `channel`'s choice."""

    @abstractmethod
    def error(self, refusal: Refusal) -> bytes:
        """The last event of a stream that is broken off."""

    @abstractmethod
    def _grown(self, body: Body) -> Delta | None:
        """The one Delta of an event that lets a text grow which has begun, as nearly all do; None for any other event."""

    @abstractmethod
    def _said(self, body: Body) -> Iterable[Delta]:
        """What any other event says."""

    def _terminated(self) -> Iterable[Delta]:
        """What `[DONE]` says."""
        raise BadUpstream("the stream has a terminator that this API does not know")

    def _unfinished(self) -> Iterable[Delta]:
        """What is said when the upstream ended without its last event. Raises BadUpstream when the stream is cut short."""
        raise BadUpstream("the stream ended before the answer did")

    def feed(self, data: bytes) -> Iterable[Delta]:
        """The events that `data` completes. Raises BadUpstream."""
        alone = self._reader.alone(data)
        return self._each(data) if alone is None else self._read(alone)

    def _each(self, data: bytes) -> Iterator[Delta]:
        for event in self._reader.feed(data):
            yield from self._read(event.data)

    def close(self) -> Iterator[Delta]:
        """What was left when the upstream ended. Raises BadUpstream when the stream is cut short."""
        for event in self._reader.close():
            yield from self._read(event.data)
        if not self._done:
            yield from self._unfinished()

    def _read(self, data: bytes) -> Iterable[Delta]:
        if self._done:
            return ()
        if not data:
            return (Delta(KEPT_OPEN),)
        if data[0] != _BRACE and data.strip() == b"[DONE]":
            return self._terminated()
        body = _decoded(data)
        delta = self._grown(body)
        return self._said(body) if delta is None else (delta,)


def _decoded(data: bytes) -> Body:
    try:
        body = decode_mended(data)
    except Malformed as error:
        raise BadUpstream(f"an event of the stream cannot be read: {error}") from error
    if "error" in body:
        raise_error(body)
    return body
