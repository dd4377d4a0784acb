"""A session that breaks a stream off when it begins to repeat the operator's prompt.

What arrives is compared before any of it is let out, at a cost that grows with the new text only; what the session still
holds of the leak is dropped. Encoded and reversed copies are left to the windows, which look for canaries in them.
"""

from collections.abc import Callable, Sequence

from hauberk.detect.output.canaries import Leak
from hauberk.detect.output.leak_watch import LeakWatch
from hauberk.guard.gateway.hooks import Decision, Release, Session, decision_so_far

Judge = Callable[[str, Sequence[Leak]], Decision]
"""What the policy makes of leaks on a channel."""


class LeakSession:
    """Implements `hooks.Session` around another."""

    def __init__(self, session: Session, watch: Callable[[], LeakWatch], judge: Judge) -> None:
        self._session = session
        self._watch = watch
        self._judge = judge
        self._watches: dict[str, LeakWatch] = {}
        self._over = False

    async def push(self, channel: str, text: str, tool: str = "") -> Release:
        watch = self._watches.get(channel)
        if watch is None:
            watch = self._watches[channel] = self._watch()
        stopped = self._stopped(channel, watch.feed(text))
        return stopped or await self._session.push(channel, text, tool)

    async def end(self, channel: str) -> Release:
        watch = self._watches.pop(channel, None)
        stopped = self._stopped(channel, watch.end()) if watch is not None else None
        return stopped or await self._session.end(channel)

    def due(self) -> float | None:
        return None if self._over else self._session.due()

    async def tick(self) -> Release:
        return Release() if self._over else await self._session.tick()

    @property
    def decision(self) -> Decision | None:
        """What was found so far, for the record."""
        return decision_so_far(self._session)

    def _stopped(self, channel: str, leaks: Sequence[Leak]) -> Release | None:
        """The end of the stream when the policy blocks `leaks`; nothing more comes out after it."""
        if self._over:
            return Release()
        if not leaks:
            return None
        decision = self._judge(channel, leaks)
        if decision.refusal is None:
            return None
        self._over = True
        return Release(decision=decision)
