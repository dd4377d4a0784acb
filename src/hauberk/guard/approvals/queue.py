"""Asks a person and waits for the answer, without holding up other requests."""

import asyncio
import secrets
import time
from collections.abc import Callable
from sqlite3 import Error as DatabaseError

from hauberk.guard.approvals.item import Asked, Outcome, State, bounded
from hauberk.guard.approvals.ledger import Ledger

EXPIRY = 120.0  # seconds
_POLL = 0.25  # seconds between looks at the ledger


def new_number() -> str:
    """A fresh id of a question."""
    return secrets.token_hex(6)


class ApprovalQueue:
    """Questions of one gateway. Whatever goes wrong, a request goes on only when a person approved it in time."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        expiry: float = EXPIRY,
        most: int = 100,
        poll: float = _POLL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`expiry` in seconds; `most` questions may wait at once over all gateways, further ones are denied."""
        self._ledger = ledger
        self._expiry = expiry
        self._most = most
        self._poll = poll
        self._clock = clock

    async def ask(
        self, what: str, who: str, why: str, findings: tuple[str, ...] = (), preview: str = "", number: str = ""
    ) -> Outcome:
        """Waits until a person answers or the time is over. `preview` must be redacted already; `number` is the question's id."""
        now = self._clock()
        item = bounded(Asked(number or new_number(), what, who, why, findings, preview, now, now + self._expiry))
        try:
            if not await asyncio.to_thread(self._ledger.add, item, self._most, now):
                return Outcome(State.DENIED, reason="too many questions are waiting")
            return await self._answered(item)
        except asyncio.CancelledError:
            # The client has gone: what it asked must not be approved into nothing.
            await asyncio.shield(asyncio.to_thread(self._withdraw, item.id))
            raise
        except DatabaseError:
            return Outcome(State.DENIED, reason="the approval ledger failed")

    async def _answered(self, item: Asked) -> Outcome:
        while True:
            await asyncio.sleep(self._poll)
            now = self._clock()
            found = await asyncio.to_thread(self._look, item.id, now)
            if found is None:
                return Outcome(State.DENIED, reason="the question was removed")
            if found.state is not State.PENDING:
                return Outcome(found.state, found.operator, found.reason)

    def _look(self, number: str, now: float) -> Asked | None:
        return self._ledger.get(number, now, waits=True)

    def _withdraw(self, number: str) -> None:
        try:
            self._ledger.settle(number, State.DENIED, "", "the client went away", self._clock())
        except DatabaseError:
            return  # it is let go when it is next looked at
