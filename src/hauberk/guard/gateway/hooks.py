"""What the gateway asks of the parts around it. Each part is built and tested without the gateway."""

from typing import Protocol

import msgspec

from hauberk.core import Action, Finding, Gap
from hauberk.guard.dialects.dialect import Refusal
from hauberk.guard.exchange import Answer, Edit, Exchange, Usage


class Caller(msgspec.Struct, frozen=True):
    """Who sends a request, before anything is known of them."""

    credential: str  # the key as sent, "" for none; never logged
    address: str  # source IP
    route: str  # path of the endpoint
    request_id: str
    user_agent: str = ""


class Grant(msgspec.Struct):
    """Leave to go on: what was reserved, to be settled once and only once."""

    key_id: str  # "" when the gateway runs without keys
    key_name: str = ""
    tenant: str = ""
    reserved: int = 0  # tokens
    lease: object = None  # the gate's own
    headers: tuple[tuple[str, str], ...] = ()  # x-ratelimit-*


class Decision(msgspec.Struct):
    """What the guard says of a request or an answer."""

    action: Action = Action.ALLOW
    edits: tuple[Edit, ...] = ()
    findings: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()
    refusal: Refusal | None = None  # set when the action is block
    seconds: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()  # for the response: labels of generated content


class Gate(Protocol):
    """Keys, budgets and limits."""

    async def admit(self, caller: Caller, exchange: Exchange) -> Grant | Refusal:
        """Leave to go on, waiting in the fair queue if need be."""
        ...

    def identify(self, caller: Caller) -> Grant | Refusal:
        """For routes without a body (`/v1/models`): only whether the key is good."""
        ...

    def allows_model(self, grant: Grant, model: str) -> bool: ...

    def stands(self, grant: Grant) -> bool:
        """Whether the grant's key is still good; asked about once a second while an answer streams."""
        ...

    def first_token(self, grant: Grant, seconds: float) -> None:
        """Time to the first token, which adaptive shedding goes by."""
        ...

    def settle(self, grant: Grant, usage: Usage, *, completed: bool) -> None:
        """Ends the grant with what was used. Called exactly once for each grant, whatever happened."""
        ...


class Session(Protocol):
    """The guard of one answer that streams. Tokens go in, what may be sent comes out."""

    async def push(self, channel: str, text: str, tool: str = "") -> "Release":
        """Text that arrived on `channel`; `tool` is the name that the event gave which opened a tool's call, its text empty."""
        ...

    async def end(self, channel: str) -> "Release":
        """The channel is complete: everything held back is decided."""
        ...

    def due(self) -> float | None:
        """Seconds until text held back must be decided even if nothing arrives; None when none is held."""
        ...

    async def tick(self) -> "Release":
        """Called when `due` has passed."""
        ...


def decision_so_far(session: Session) -> Decision | None:
    """What a session has found, if it keeps count; a session that only passes text on has no `decision`."""
    return getattr(session, "decision", None)


class Release(msgspec.Struct):
    """Texts that may go out now, in order, and whether the stream ends here."""

    texts: tuple[tuple[str, str], ...] = ()  # channel, text
    decision: Decision | None = None  # set with a refusal when the stream must be broken off


class Inspector(Protocol):
    """The detectors and the policy."""

    async def request(self, exchange: Exchange) -> Decision: ...

    async def answer(self, exchange: Exchange, answer: Answer) -> Decision: ...

    def session(self, exchange: Exchange) -> Session: ...


class Record(msgspec.Struct):
    """One request from arrival to end, as audit, metrics and traces take it."""

    request_id: str
    started: float  # seconds since the epoch
    route: str
    address: str
    key_id: str = ""
    key_name: str = ""
    tenant: str = ""
    model: str = ""
    upstream: str = ""
    stream: bool = False
    status: int = 0
    request: Decision | None = None
    response: Decision | None = None
    usage: Usage = Usage()
    incident: str = ""
    error: str = ""
    first_token: float | None = None  # seconds after `started`
    held: float = 0.0  # longest that a token was held back, seconds
    seconds: float = 0.0
    exchange: Exchange | None = None  # for recorders that keep texts or their hashes, by policy
    answer_text: str = ""
    texts: object = None  # what `Recorder.texts` made of the request's texts before these were let go


class Recorder(Protocol):
    """Audit log, metrics and traces."""

    def texts(self, exchange: Exchange) -> object:
        """What the record of a stream keeps of the request's texts, which need not stay in memory while the answer runs."""
        ...

    async def finished(self, record: Record) -> None:
        """Called once for each request. Returns when the audit entry is durable, if the policy asks for that."""
        ...
