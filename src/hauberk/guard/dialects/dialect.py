"""What every dialect can do.

How a gateway writes a guarded stream, for each Delta in order:

1. With a `channel` and a `text` or a `tool`: `session.push(channel, text, tool)`; the Delta's own bytes are not sent, but for
   those that open a tool's call (`tool` set), which are sent as they are (their `text` is always empty).
2. With `ends`: `session.end(channel)` for each of them, before anything else of this Delta is sent.
3. Each text that the session releases is sent as `made(channel, text)`; `b""` means that nothing goes on the wire now.
4. With `repeats`: `restated(delta, sent)` is sent, where `sent` maps each channel to all the text sent on it. Never `raw`:
   the event repeats what was streamed, and would carry what was redacted.
5. Everything else: `raw`, which may be empty.
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from hauberk.guard.exchange import Answer, Edit, Exchange, Usage


class Refusal(msgspec.Struct, frozen=True):
    """An error to say in the dialect's own form. Nothing in it tells an attacker what was recognised."""

    status: int  # HTTP
    code: str  # `content_blocked`, `rate_limit_exceeded`, `model_not_found` ...
    message: str
    type: str = "invalid_request_error"
    param: str = ""
    incident: str = ""
    retry_after: float | None = None  # seconds


class Delta(msgspec.Struct):
    """One event of a stream. `raw` is what goes on the wire if nothing is changed.

    `channel` names what the text belongs to (`0` first choice's text, `0/tool/1` arguments of its second call, ...); texts
    of one channel joined in order are the whole. Events without text (`channel` "") carry roles, ids, usage, the end.
    The part before the first slash is the choice; `/tool/` is in the name of every channel that carries a call's arguments.
    An event with a text carries nothing else: an upstream's event that does is divided.
    """

    raw: bytes
    channel: str = ""
    text: str = ""
    tool: str = ""  # the tool's name, on the event that opens its call
    tool_id: str = ""
    finish: str = ""  # why the channel's choice ended, on the event that says so
    usage: Usage | None = None
    done: bool = False  # the stream's last event
    ends: tuple[str, ...] = ()  # channels that are complete with this event
    repeats: tuple[str, ...] = ()  # channels whose text stands once more in this event


class EventStream(Protocol):
    """Reads one upstream stream. Bounded: raises BadUpstream on an event over the limit or one that is no JSON."""

    def feed(self, data: bytes) -> Iterable[Delta]:
        """The events that `data` completes."""
        ...

    def close(self) -> Iterable[Delta]:
        """What was left when the upstream ended. Raises BadUpstream when the stream is cut short."""
        ...

    def made(self, channel: str, text: str) -> bytes:
        """A new event that carries `text` on `channel`; empty when the API has none and only a closing event says the text."""
        ...

    def restated(self, delta: Delta, sent: Mapping[str, str]) -> bytes:
        """`delta`, which repeats texts, as wire bytes with what was sent in their place; channels not in `sent` become empty."""
        ...

    def ended(self, channel: str, finish: str) -> bytes:
        """A new event that ends `channel`'s choice (`content_filter`)."""
        ...

    def error(self, refusal: Refusal) -> bytes:
        """The last event of a stream that is broken off, with the terminator clients wait for."""
        ...


class BadUpstream(Exception):
    """The upstream's answer cannot be read; the message says what was wrong with it."""


class Dialect(Protocol):
    """One API. Reads and writes bodies; stateless but for `stream`."""

    name: str

    def read(self, body: bytes) -> Exchange:
        """The request in `body`. Raises BadRequest."""
        ...

    def write(self, exchange: Exchange, edits: Iterable[Edit] = (), model: str = "") -> bytes:
        """The body for the upstream, with texts replaced and the model renamed when `model` is given."""
        ...

    def read_answer(self, body: bytes) -> Answer:
        """The upstream's whole answer. Raises BadUpstream."""
        ...

    def write_answer(self, answer: Answer, edits: Iterable[Edit] = (), model: str = "") -> bytes:
        """The answer for the client."""
        ...

    def stream(self, exchange: Exchange, model: str = "") -> EventStream:
        """A reader for the answer to `exchange` as it comes; `model` is the name that clients are told when it is given."""
        ...

    def error(self, refusal: Refusal) -> bytes:
        """The body of an error, as this API's clients expect it."""
        ...
