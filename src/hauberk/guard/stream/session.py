"""The guard of one answer that streams: a bounded hold-back, in which each text is redacted and judged before it goes out.

What is held is judged in windows: the characters that went out last as context, then all that is held. A window is judged
when the hold is full and when its oldest character is due, never for each token. After a judgement the hold is emptied down
to `hold - stride` tokens, so that a violation of up to that length is seen whole before its first character may leave.
The redactor's rules run before a judgement, over all that came since the last one and what went out before it. What the
redactor keeps of that (a word, a value that is not whole) comes on top, and is due as soon as it lets it go.
A tool's call is held until it is complete, since half of its arguments can neither be judged nor used.
"""

import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Protocol, TypeVar

import msgspec

from hauberk.core import Action, Finding, Gap, GapReason
from hauberk.guard.dialects.dialect import Refusal
from hauberk.guard.gateway.hooks import Decision, Release
from hauberk.guard.stream.channel import Channel, NewRedactor
from hauberk.guard.stream.tokens import TWELFTHS

T = TypeVar("T", Finding, Gap)

_NOTHING = Release()
_SLICE = 2048  # characters judged at once of a text that arrives in one piece
_MOST_NOTED = 100  # findings, and gaps, kept for the record


class Check(Protocol):
    """Judges a window of `channel`. `final`: the channel is complete; `tool`: the name of the tool that is called with it.

    A decision with a refusal breaks the stream off. Its edits count for a tool's call only, whose text is whole: the last
    one's text is sent instead. What it raises is not caught here: the gateway breaks the stream off.
    """

    def __call__(self, channel: str, text: str, *, final: bool, tool: str) -> Decision | Awaitable[Decision]: ...


class Limits(msgspec.Struct, frozen=True):
    """How much is held back, and for how long."""

    tokens: int = 64  # estimated; see `tokens`
    seconds: float = 0.2
    stride: int = 16  # tokens that arrive between two judgements of a full hold
    context: int = 512  # characters that went out and are judged again with what follows them
    call: int = 256 << 10  # characters of a tool's call


class StreamSession:
    """Implements `hooks.Session`. One call at a time; times are those of `clock`, in seconds."""

    def __init__(
        self,
        check: Check,
        *,
        redactor: NewRedactor | None = None,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        too_large: Callable[[str], Decision] | None = None,
    ) -> None:
        """`too_large`: what to do with a tool's call over the limit, by its channel; without a refusal it goes on as text."""
        self._check = check
        self._redactor = redactor
        self._limits = limits or Limits()
        self._clock = clock
        self._too_large = too_large or _refused
        self._keep = max(0, self._limits.tokens - self._limits.stride) * TWELFTHS
        self._channels: dict[str, Channel] = {}
        self._let_through: set[str] = set()  # calls over the limit that go on as text
        self._over = False
        self.decision = Decision()  # of all windows so far, for the record
        self.longest_hold = 0.0  # seconds that a text waited; tools' calls do not count
        self.most_held = 0.0  # tokens held back when a call returned, by redactors too; tools' calls do not count

    async def push(self, channel: str, text: str, tool: str = "") -> Release:
        """Text that arrived on `channel`, or the name of the tool that is called on it."""
        if self._over:
            return _NOTHING
        state = self._channels.get(channel)
        if state is None:
            redactor = self._redactor(channel) if self._redactor is not None else None
            state = self._channels[channel] = Channel(redactor, tool=tool, context=self._limits.context)
        state.tool = state.tool or tool
        out: list[tuple[str, str]] = []
        for start in range(0, len(text), _SLICE):
            state.take(text[start : start + _SLICE], self._clock())
            if (stopped := await self._settle(channel, state, out)) is not None:
                return stopped
        return self._out(out)

    async def end(self, channel: str) -> Release:
        """The channel is complete: all that is held is decided. A second end gives nothing."""
        state = self._channels.pop(channel, None)
        if state is None or self._over:
            return _NOTHING
        state.finish()
        judge = bool(state.window) or self._is_call(channel)  # a call without arguments is one too
        if judge and (stopped := await self._judged(channel, state, final=True)) is not None:
            return stopped
        if self._is_call(channel):
            return self._out([(channel, state.release_all_but(0))])
        return self._out([(channel, self._timed(state, lambda: state.release_all_but(0)))])

    def due(self) -> float | None:
        """Seconds until text held back must be decided; None when none is held. A tool's call waits until it is complete."""
        if self._over:
            return None
        oldest = [state.since for name, state in self._channels.items() if state.since is not None and not self._is_call(name)]
        return max(0.0, min(oldest) + self._limits.seconds - self._clock()) if oldest else None

    async def tick(self) -> Release:
        """Decides what is due, together with what arrived in the first half of the time that may be waited."""
        out: list[tuple[str, str]] = []
        for name, state in list(self._channels.items()):
            if self._is_due(name, state) and (stopped := await self._release_due(name, state, out)) is not None:
                return stopped
        return self._out(out)

    async def _settle(self, channel: str, state: Channel, out: list[tuple[str, str]]) -> Release | None:
        """Brings the hold back within its bounds; what may go is added to `out`."""
        if self._is_call(channel):
            return self._bounded(channel, state)
        if state.size + state.pending > self._limits.tokens * TWELFTHS:
            state.redact()
            if state.fresh and (stopped := await self._judged(channel, state, final=False)) is not None:
                return stopped
            out.append((channel, self._timed(state, lambda: state.release_all_but(self._keep))))
        if self._is_due(channel, state):
            return await self._release_due(channel, state, out)
        self._count(state)
        return None

    async def _release_due(self, channel: str, state: Channel, out: list[tuple[str, str]]) -> Release | None:
        before = self._clock() - self._limits.seconds / 2
        state.redact()
        if state.fresh and (stopped := await self._judged(channel, state, final=False)) is not None:
            return stopped
        out.append((channel, self._timed(state, lambda: state.release_older(before))))
        return None

    def _is_due(self, channel: str, state: Channel) -> bool:
        since = state.since
        return since is not None and not self._is_call(channel) and since + self._limits.seconds <= self._clock()

    def _is_call(self, channel: str) -> bool:
        return "/tool/" in channel and channel not in self._let_through

    def _bounded(self, channel: str, state: Channel) -> Release | None:
        if len(state.held) <= self._limits.call:
            return None
        decision = self._too_large(channel)
        if (stopped := self._noted(decision)) is not None:
            return stopped
        self._let_through.add(channel)
        return None

    async def _judged(self, channel: str, state: Channel, *, final: bool) -> Release | None:
        made = self._check(channel, state.window, final=final, tool=state.tool)
        decision = await made if isawaitable(made) else made
        state.fresh = 0
        if (stopped := self._noted(decision)) is not None:
            return stopped
        if decision.edits and self._is_call(channel) and final:
            state.put(decision.edits[-1].text)
        return None

    def _noted(self, decision: Decision) -> Release | None:
        noted = self.decision
        noted.action = max(noted.action, decision.action)
        noted.findings = _joined(noted.findings, decision.findings)
        noted.gaps = _joined(noted.gaps, decision.gaps)
        noted.seconds += decision.seconds
        if decision.refusal is None:
            return None
        self._over = True
        for state in self._channels.values():
            state.drop()
        self._channels.clear()
        noted.refusal = decision.refusal
        return Release(decision=decision)

    def _timed(self, state: Channel, release: Callable[[], str]) -> str:
        since = state.since
        out = release()
        if out and since is not None:
            self.longest_hold = max(self.longest_hold, self._clock() - since)
        self._count(state)
        return out

    def _count(self, state: Channel) -> None:
        self.most_held = max(self.most_held, state.waiting / TWELFTHS)

    def _out(self, texts: list[tuple[str, str]]) -> Release:
        return Release(texts=tuple(pair for pair in texts if pair[1]))


def _joined(known: tuple[T, ...], new: tuple[T, ...]) -> tuple[T, ...]:
    names = {item.fingerprint for item in known}
    fresh = tuple(item for item in new if item.fingerprint not in names)
    return (known + fresh)[:_MOST_NOTED]


def _refused(channel: str) -> Decision:
    gap = Gap(f"message:{channel}", GapReason.TOO_LARGE, "the arguments of a tool's call are too long to be judged")
    refusal = Refusal(status=403, code="content_blocked", message="The answer was stopped by the content policy.")
    return Decision(Action.BLOCK, gaps=(gap,), refusal=refusal)
