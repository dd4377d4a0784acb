"""Bytes that belong to no member: behind the end of a container, between its members, after padding."""

from hauberk.assets.budget import Budget
from hauberk.assets.content import SliceContent, chunks
from hauberk.core import Content


def without_padding(content: Content, start: int, end: int, budget: Budget) -> SliceContent | None:
    """The stretch `[start, end)` from its first byte that is not zero; None when it is zero throughout or empty."""
    at = start
    for chunk in chunks(content, start, max(0, end - start)):
        budget.check_time()
        kept = chunk.lstrip(b"\0")
        if kept:
            at += len(chunk) - len(kept)
            return SliceContent(content, at, end - at)
        at += len(chunk)
    return None
