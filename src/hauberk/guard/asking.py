"""Between the inspector and the approval queue: what a person is asked about a call of a tool or a message."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from hauberk.assets.quoting import quote
from hauberk.core import Finding
from hauberk.guard.approvals import ApprovalQueue, Outcome, State, new_number
from hauberk.guard.approvals.item import MAX_WORDS

Tell = Callable[[str, Mapping[str, object]], None]
"""Takes an event: its type and what is kept of it (`AuditRecorder.event_soon`)."""

GATEWAY = "gateway"  # who asks when no key is known


class Desk:
    """Implements the inspector's Approver. What became of each question goes to the audit log, as an entry `approval`."""

    def __init__(self, queue: ApprovalQueue, tell: Tell = lambda _type, _data: None) -> None:
        self._queue = queue
        self._tell = tell

    async def ask(self, what: str, findings: Sequence[Finding], preview: str, who: str = "") -> bool:
        """Whether a person let it pass in time. `who`: name of the key, never the key."""
        titles = tuple(dict.fromkeys(finding.message for finding in findings))
        number, started, who = new_number(), time.monotonic(), who or GATEWAY
        outcome = Outcome(State.DENIED, reason="the gateway failed")
        try:
            outcome = await self._queue.ask(what, who, "the policy asks a person", titles, preview, number)
        except asyncio.CancelledError:
            outcome = Outcome(State.DENIED, reason="the client went away")
            raise
        finally:
            self._tell("approval", _entry(number, what, who, outcome, time.monotonic() - started))
        return outcome.approved


def _entry(number: str, what: str, who: str, outcome: Outcome, seconds: float) -> dict[str, object]:
    return {
        "id": number,
        "what": quote(what, MAX_WORDS),
        "who": quote(who, MAX_WORDS),
        "outcome": outcome.state.value,
        "operator": outcome.operator,
        "reason": outcome.reason,
        "seconds": round(seconds, 3),
    }
