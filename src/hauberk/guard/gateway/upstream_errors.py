"""What an upstream says when it refuses, and how much of that the client learns."""

import msgspec

from hauberk.guard.dialects.dialect import Refusal
from hauberk.guard.gateway.refusals import upstream_failed
from hauberk.guard.gateway.upstream.attempts import retry_after
from hauberk.guard.gateway.upstream.errors import Broken, Busy, TimedOut
from hauberk.guard.gateway.upstream.upstream import Reply, Upstream

LONGEST = 64 << 10

OWN_FAULTS = frozenset((401, 402, 403, 407))
"""They speak of the operator's key and account, which is nobody else's business."""


async def said_by(reply: Reply, upstream: Upstream) -> bytes | Refusal:
    """The body to pass on when the request was at fault, else a refusal of our own. Raises UpstreamError."""
    status = reply.status
    if status == 429:
        wait = retry_after(reply)
        words = "The model server takes no more requests at the moment. Try again later."
        return Refusal(429, "rate_limit_exceeded", words, "rate_limit_error", retry_after=1.0 if wait is None else wait)
    if status in {503, 529}:
        return upstream_failed(Busy("", retry_after(reply) or 1.0))
    if status == 504:
        return upstream_failed(TimedOut(""))
    if not 400 <= status < 500 or status in OWN_FAULTS:
        return upstream_failed(Broken(""))
    body = upstream.hide(await reply.whole(LONGEST))
    try:
        msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Refusal(status, "invalid_request_error", "The model server refused the request as invalid.")
    return body
