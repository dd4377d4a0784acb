"""Tokens as Anthropic counts them."""

from typing import Any, cast

from hauberk.guard.dialects.bodies import Body
from hauberk.guard.dialects.fields import count_of
from hauberk.guard.exchange import Usage


def usage_of(usage: Any, before: Usage | None = None) -> Usage | None:
    """Tokens in `usage`, with those of `before` where it is silent; None when neither counts any.

    Input that was written to or read from the cache is counted apart by the API, and together here.
    """
    if type(usage) is not dict:
        return before
    usage = cast("Body", usage)
    fresh, read = count_of(usage, "input_tokens"), count_of(usage, "cache_read_input_tokens")
    written = count_of(usage, "cache_creation_input_tokens")
    output = count_of(usage, "output_tokens")
    before = before or Usage()
    whole = before.input if fresh is None else fresh + (read or 0) + (written or 0)
    spent = Usage(whole, before.output if output is None else output, before.cached if read is None else read)
    return None if spent.input is None and spent.output is None else spent
