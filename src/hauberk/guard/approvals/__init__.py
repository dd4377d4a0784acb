"""The queue of requests that wait for a person (action `ask`). No answer in time means block."""

from hauberk.guard.approvals.desk import approve, deny, waiting
from hauberk.guard.approvals.item import ApprovalError, Asked, Outcome, State
from hauberk.guard.approvals.ledger import Ledger, SqliteLedger
from hauberk.guard.approvals.queue import ApprovalQueue, new_number

__all__ = [
    "ApprovalError",
    "ApprovalQueue",
    "Asked",
    "Ledger",
    "Outcome",
    "SqliteLedger",
    "State",
    "approve",
    "deny",
    "new_number",
    "waiting",
]
