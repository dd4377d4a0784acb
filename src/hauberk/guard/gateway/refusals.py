"""The errors that the gateway itself gives, in words a user can act on."""

from hauberk.core import Action, Gap, GapReason
from hauberk.guard.dialects.dialect import Refusal
from hauberk.guard.exchange import BadRequest
from hauberk.guard.gateway.hooks import Decision
from hauberk.guard.gateway.upstream.errors import Busy, UpstreamError
from hauberk.guard.incident import new_incident

_UPSTREAM_WORDS = {
    502: "The model server gave no usable answer. Try again; if it persists, tell the operator the incident id.",
    503: "The model server is not available at the moment. Try again later.",
    504: "The model server did not answer in time. Try again, or ask for a shorter answer.",
}


def bad_request(error: BadRequest) -> Refusal:
    """A request that cannot be read."""
    return Refusal(error.status, error.code, str(error), param=error.param)


def too_large(most: int) -> Refusal:
    """A body over the limit."""
    return Refusal(413, "request_too_large", f"The request body is larger than {most} bytes. Send less at once.")


def not_served(model: str) -> Refusal:
    """No upstream has the model, or the key may not use it: the answer is the same, so that nothing can be probed."""
    name = model[:100]
    words = f"The model {name!r} does not exist or is not served by this endpoint. GET /v1/models lists those that are."
    return Refusal(404, "model_not_found", words, param="model")


def upstream_failed(error: UpstreamError) -> Refusal:
    """No usable answer came; what exactly was wrong stands in the record, not in the answer."""
    wait = error.retry_after if isinstance(error, Busy) else None
    return Refusal(error.status, error.code, _UPSTREAM_WORDS[error.status], "api_error", incident=new_incident(), retry_after=wait)


def internal() -> Refusal:
    """A fault of our own."""
    words = "The gateway failed to handle the request. Tell the operator the incident id."
    return Refusal(500, "internal_error", words, "api_error", incident=new_incident())


def unrecorded() -> Refusal:
    """The audit log takes no entry, and the policy is to do nothing unrecorded."""
    words = "The request could not be recorded and was therefore not answered. Try again later."
    return Refusal(503, "audit_unavailable", words, "api_error", incident=new_incident())


def shutting_down() -> Refusal:
    """The gateway ends before the answer does."""
    return Refusal(503, "shutting_down", "The gateway is restarting. Send the request again.", "api_error", retry_after=1)


def unjudged(error: Exception, *, closed: bool) -> Decision:
    """What becomes of a message that the guard failed to judge: a gap, and a block where the policy is to fail closed."""
    gap = Gap(asset="message:", reason=GapReason.DETECTOR_ERROR, note=f"the guard failed: {type(error).__name__}")
    if not closed:
        return Decision(action=Action.FLAG, gaps=(gap,))
    words = "The content could not be checked and was therefore refused. Tell the operator the incident id."
    # 400 as for what is blocked: SDKs and attackers' tools send a 5xx or 429 again by themselves, for ever in the worst case, and
    # the detector that failed on this text will fail on it again. `code` tells the two apart.
    refusal = Refusal(400, "content_unchecked", words, incident=new_incident())
    return Decision(action=Action.BLOCK, gaps=(gap,), refusal=refusal)


def blocked(decision: Decision) -> Refusal | None:
    """The refusal in a decision that does not let pass; a question that nobody answered is a no."""
    if decision.refusal is not None or decision.action < Action.ASK:
        return decision.refusal
    return Refusal(403, "content_blocked", "The content was refused by the policy of this service.", incident=new_incident())
