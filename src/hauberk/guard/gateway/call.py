"""One request under way, and the promise that it is settled and recorded once."""

import asyncio
import time
from collections.abc import Callable

from hauberk.core import Action
from hauberk.guard.dialects.dialect import Dialect, EventStream, Refusal
from hauberk.guard.exchange import Exchange, Usage
from hauberk.guard.gateway.generation import Generation
from hauberk.guard.gateway.hooks import Caller, Gate, Grant, Record, Recorder
from hauberk.guard.gateway.routes import Route

Write = Callable[[bytes], bool]
"""Writes events of a stream that has begun; False, and nothing is written, when the client has too much unread."""

NO_WORK = Usage(input=0, output=0)


class Refused(Exception):
    """The request ends with `refusal`."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


class Call:
    """What is known of a request so far."""

    __slots__ = (
        "_begun",
        "_closed",
        "caller",
        "completed",
        "dialect",
        "ended",
        "events",
        "gate",
        "generation",
        "grant",
        "lost",
        "record",
        "recorder",
        "route",
        "started",
        "worked",
        "write",
    )

    def __init__(
        self, caller: Caller, route: Route, dialect: Dialect, generation: Generation, gate: Gate, recorder: Recorder
    ) -> None:
        self.caller = caller
        self.route = route
        self.dialect = dialect
        self.generation = generation
        self.gate = gate
        self.recorder = recorder
        self.grant: Grant | None = None
        self.record = Record(request_id=caller.request_id, started=time.time(), route=caller.route, address=caller.address)
        self.started = False  # whether the response's headers have gone out
        self.events: EventStream | None = None  # set when the response is a stream that has begun
        self.completed = False
        self.worked = False  # whether a model may have spent tokens on it
        self.lost = False  # whether the client has gone
        self.ended: Refusal | None = None  # why the call was cancelled half-way, when it was neither the client nor the end of all
        self.write: Write | None = None  # the shorter way of our own server
        self._begun = time.monotonic()
        self._closed = False

    def admitted(self, grant: Grant) -> None:
        """From here on the grant is owed its settlement."""
        self.grant = grant
        self.record.key_id, self.record.key_name, self.record.tenant = grant.key_id, grant.key_name, grant.tenant

    def read(self, exchange: Exchange) -> None:
        """The request is understood."""
        self.record.exchange = exchange
        self.record.model = exchange.model
        self.record.stream = exchange.stream

    def let_go(self, exchange: Exchange) -> None:
        """The upstream has the request: nobody needs its texts any more but the record, which takes what it keeps of them."""
        self.record.texts = self.recorder.texts(exchange)
        exchange.let_go()

    def first_token(self) -> None:
        """The answer begins."""
        if self.record.first_token is None:
            self.record.first_token = self.elapsed
            if self.grant is not None:
                self.gate.first_token(self.grant, self.record.first_token)

    @property
    def open(self) -> bool:
        """Whether the call is still to be settled and recorded."""
        return not self._closed

    @property
    def elapsed(self) -> float:
        """Seconds since the request began."""
        return time.monotonic() - self._begun

    @property
    def action(self) -> Action:
        """The strictest of what was decided so far."""
        decided = (self.record.request, self.record.response)
        return max((decision.action for decision in decided if decision is not None), default=Action.ALLOW)

    @property
    def gaps(self) -> int:
        """How many gaps the guard has left so far."""
        return sum(len(decision.gaps) for decision in (self.record.request, self.record.response) if decision is not None)

    async def close(self) -> None:
        """Settles the grant and records the request; the second time nothing. Raises what the recorder raises."""
        if self._closed:
            return
        self._closed = True
        if self.grant is not None:
            usage = self.record.usage if self.worked else NO_WORK
            self.gate.settle(self.grant, usage, completed=self.completed)
        self.record.seconds = self.elapsed
        # Shielded: an entry that is half written when the drain ends would be lost.
        await asyncio.shield(asyncio.ensure_future(self.recorder.finished(self.record)))
