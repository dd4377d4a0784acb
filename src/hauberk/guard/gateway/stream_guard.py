"""One stream under guard: upstream bytes in, wire bytes for the client out."""

import time
from collections.abc import Awaitable, Callable

from hauberk.guard.dialects.dialect import Delta, EventStream, Refusal
from hauberk.guard.exchange import Usage
from hauberk.guard.gateway.hooks import Decision, Release, Session, decision_so_far
from hauberk.guard.gateway.open_hooks import OpenSession
from hauberk.guard.gateway.outbox import Outbox
from hauberk.guard.gateway.refusals import blocked, unjudged


class Halted(Exception):
    """The guard breaks the stream off. `wire`: what may still go out before the last event."""

    def __init__(self, decision: Decision, refusal: Refusal, wire: bytes) -> None:
        super().__init__("the stream is broken off")
        self.decision = decision
        self.refusal = refusal
        self.wire = wire


class StreamGuard:
    """Joins a dialect's events with the session that judges their texts. Raises BadUpstream and Halted from every step."""

    __slots__ = ("_clock", "_closed", "_events", "_outbox", "_session", "begun", "decision", "done", "usage")

    def __init__(
        self,
        events: EventStream,
        session: Session,
        *,
        closed: bool = True,
        most: int = 32 << 20,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._events = events
        self._session = session
        self._closed = closed  # what happens to the stream when the session raises
        self._clock = clock
        self._outbox = Outbox(events, most)
        self.decision: Decision | None = None  # the last the session gave
        self.begun = False  # whether text has come
        self.usage = Usage()
        self.done = False  # whether the stream's own last event has passed

    @property
    def held(self) -> float:
        """The longest that an event was held back, seconds."""
        return self._outbox.held

    @property
    def noted(self) -> Decision | None:
        """What the session said, else all it has found, for the record."""
        return self.decision if self.decision is not None else decision_so_far(self._session)

    @property
    def text(self) -> str:
        """The answer as it was let go; its channels one after another."""
        return "\n".join("".join(parts) for parts in self._outbox.sent.values())

    def due(self) -> float | None:
        """Seconds until `tick` must be called; None when nothing is held."""
        return self._session.due()

    @property
    def open(self) -> bool:
        """Whether nothing is judged and nothing waits: then `pass_on` may stand for `feed`."""
        return type(self._session) is OpenSession and self._outbox.empty

    def pass_on(self, data: bytes) -> bytes:
        """As `feed` while `open`."""
        outbox = self._outbox
        for delta in self._events.feed(data):
            if delta.usage is not None:
                self.usage = _merged(self.usage, delta.usage)
            if delta.done:
                self.done = True
            elif not self.begun and (delta.text or delta.tool):
                self.begun = True
            outbox.through(delta)
        return outbox.take()

    async def feed(self, data: bytes) -> bytes:
        """What the client may have of `data` and of what came before."""
        for delta in self._events.feed(data):
            await self._arrived(delta)
        return self._taken()

    async def tick(self) -> bytes:
        """What must be let go now although nothing arrived."""
        await self._let_go(self._session.tick())
        return self._taken()

    async def close(self) -> bytes:
        """All the rest, when the upstream has ended."""
        for delta in self._events.close():
            await self._arrived(delta)
        self._outbox.settle(self._clock())
        return self._outbox.take()

    def judged(self) -> bytes:
        """What was let go and not yet handed out; for a stream that fails half-way."""
        return self._outbox.take()

    async def _arrived(self, delta: Delta) -> None:
        if delta.usage is not None:
            self.usage = _merged(self.usage, delta.usage)
        for channel in delta.ends:
            await self._let_go(self._session.end(channel))
        self.done = self.done or delta.done
        if delta.tool or delta.text:
            self.begun = True
            if delta.text:
                self._outbox.put(delta, self._clock())
            await self._let_go(self._session.push(delta.channel, delta.text, delta.tool))
        if not delta.text:
            self._outbox.put(delta, self._clock())

    async def _let_go(self, judgement: Awaitable[Release]) -> None:
        try:
            release = await judgement
        except Exception as error:  # noqa: BLE001 - detectors may raise anything; the policy says what follows
            release = Release(decision=unjudged(error, closed=self._closed))
            if not self._closed:
                self._session = OpenSession()
                self._outbox.pass_on(self._clock())
        now = self._clock()
        for channel, text in release.texts:
            self._outbox.release(channel, text, now)
        if release.decision is not None:
            self.decision = release.decision
            if (refusal := blocked(release.decision)) is not None:
                raise Halted(release.decision, refusal, self._outbox.take())

    def _taken(self) -> bytes:
        if not self._outbox.empty and self._session.due() is None:
            self._outbox.settle(self._clock())
        return self._outbox.take()


def _merged(old: Usage, new: Usage) -> Usage:
    """Some APIs tell the tokens of the question first and those of the answer last."""
    return Usage(
        input=old.input if new.input is None else new.input,
        output=old.output if new.output is None else new.output,
        cached=max(old.cached, new.cached),
    )
