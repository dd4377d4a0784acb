"""What an operator does: see what waits, approve, deny."""

import time

from hauberk.assets.quoting import quote
from hauberk.guard.approvals.item import MAX_WORDS, ApprovalError, Asked, State
from hauberk.guard.approvals.ledger import Ledger


def waiting(ledger: Ledger, now: float | None = None) -> tuple[Asked, ...]:
    """The questions that wait, oldest first."""
    return ledger.pending(_now(now))


def approve(ledger: Ledger, number: str, operator: str, reason: str, now: float | None = None) -> Asked:
    """Lets the request go on. Raises ApprovalError when it no longer waits, or `operator` or `reason` is empty."""
    return _answer(ledger, number, State.APPROVED, operator, reason, _now(now))


def deny(ledger: Ledger, number: str, operator: str, reason: str, now: float | None = None) -> Asked:
    """Refuses the request. Raises ApprovalError as `approve` does."""
    return _answer(ledger, number, State.DENIED, operator, reason, _now(now))


def _now(now: float | None) -> float:
    return time.time() if now is None else now


def _answer(ledger: Ledger, number: str, state: State, operator: str, reason: str, now: float) -> Asked:
    operator, reason = quote(operator.strip(), MAX_WORDS), quote(reason.strip(), MAX_WORDS)
    if not operator or not reason:
        raise ApprovalError("an answer needs the operator's id and a reason")
    item, taken = ledger.settle(number, state, operator, reason, now)
    if item is None:
        raise ApprovalError(f"there is no question {quote(number, 60)}")
    if taken:
        return item
    if item.state is State.EXPIRED:
        raise ApprovalError(f"{item.id} expired before it was answered; the request was blocked")
    by = f" by {item.operator}" if item.operator else f": {item.reason}"
    raise ApprovalError(f"{item.id} was already {item.state}{by}")
