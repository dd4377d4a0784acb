"""Between the inspector and the approval queue: what a person is asked about a call of a tool or a message."""

from collections.abc import Sequence

from hauberk.core import Finding
from hauberk.guard.approvals import ApprovalQueue


class Desk:
    """Implements the inspector's Approver."""

    def __init__(self, queue: ApprovalQueue) -> None:
        self._queue = queue

    async def ask(self, what: str, findings: Sequence[Finding], preview: str) -> bool:
        """Whether a person let it pass in time."""
        titles = tuple(dict.fromkeys(finding.message for finding in findings))
        outcome = await self._queue.ask(what, "gateway", "the policy asks a person", titles, preview)
        return outcome.approved
