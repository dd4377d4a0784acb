"""Asks one candidate after another until an answer can be passed on."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from email.utils import parsedate_to_datetime

from hauberk.guard.gateway.upstream.directory import Candidate
from hauberk.guard.gateway.upstream.errors import Busy, UpstreamError
from hauberk.guard.gateway.upstream.upstream import Reply
from hauberk.guard.settings import Retries

Ask = Callable[[Candidate], Awaitable[Reply]]


async def first_answer(candidates: Sequence[Candidate], retries: Retries, ask: Ask) -> tuple[Candidate, Reply]:
    """The first answer worth passing on, or the last one. Raises UpstreamError when nobody answered.

    Nothing has gone to the client yet. A request is sent again only when it surely did not reach a model, or when the
    upstream said so with one of `retries.statuses`; after a timeout it may still be working, so that ends the attempts.
    """
    error: UpstreamError | None = None
    for number in range(retries.most + 1):
        candidate = _next(candidates, number)
        if candidate is None:
            break
        last = number == retries.most
        asked_all = number + 1 >= len(candidates)  # whoever is asked next was asked before
        breaker = candidate.upstream.breaker
        try:
            reply = await ask(candidate)
        except UpstreamError as failure:
            if not isinstance(failure, Busy):
                breaker.failed()
            if last or not failure.unsent:
                raise
            error = failure
            wait = _backoff(number, retries)
        else:
            (breaker.failed if reply.status >= 500 else breaker.succeeded)()
            wait = retry_after(reply)
            if last or reply.status not in retries.statuses or ((wait or 0) > retries.longest and asked_all):
                return candidate, reply
            reply.release()
            wait = _backoff(number, retries) if wait is None else wait
        if asked_all:
            await asyncio.sleep(wait)
    raise error or Busy("the upstream is left alone after repeated failures", _soonest(candidates))


def retry_after(reply: Reply) -> float | None:
    """Seconds until the upstream wants to be asked again, as it says; None when it does not."""
    value = reply.headers.get(b"retry-after", b"").decode("latin-1").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _next(candidates: Sequence[Candidate], number: int) -> Candidate | None:
    """The candidate of this turn, or the one after it whose circuit lets a request through."""
    for step in range(len(candidates)):
        candidate = candidates[(number + step) % len(candidates)]
        if candidate.upstream.breaker.enter():
            return candidate
    return None


def _backoff(number: int, retries: Retries) -> float:
    return random.uniform(0, min(retries.longest, retries.base * 2**number))  # noqa: S311 - spreads load, keeps no secret


def _soonest(candidates: Sequence[Candidate]) -> float:
    return min((candidate.upstream.breaker.wait() for candidate in candidates), default=1.0)
