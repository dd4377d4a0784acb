"""ASGI's messages: the headers that come, and what goes back to the client."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from hauberk.guard.dialects.dialect import Refusal
from hauberk.guard.gateway.call import Call

Message = dict[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

JSON = b"application/json"
EVENTS = b"text/event-stream; charset=utf-8"

PASSED_ON = (b"openai-processing-ms", b"openai-version", b"retry-after-ms")
"""Headers of the upstream that clients may have; a list of what is kept cannot forget what must not pass."""


def headers_of(call: Call, upstream: Mapping[bytes, bytes] | None = None) -> Headers:
    """Who answered what: the guard's own headers, the limits', and what is kept of the upstream's."""
    headers: Headers = [
        (b"x-hauberk-request-id", call.caller.request_id.encode()),
        (b"x-hauberk-decision", call.action.name.lower().encode()),
        (b"x-hauberk-fail", call.generation.settings.fail.encode()),
        (b"x-hauberk-gaps", b"%d" % call.gaps),
    ]
    if call.record.incident:
        headers.append((b"x-hauberk-incident", call.record.incident.encode("latin-1", "replace")))
    if call.grant is not None:
        headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in call.grant.headers]
    if call.record.request is not None:
        headers += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in call.record.request.headers]
    if upstream:
        headers += [(name, upstream[name]) for name in PASSED_ON if name in upstream]
    return headers


def retry_headers(refusal: Refusal) -> Headers:
    """`Retry-After` in whole seconds, if the refusal has one."""
    if refusal.retry_after is None:
        return []
    return [(b"retry-after", b"%d" % max(1, min(86_400, -int(-refusal.retry_after // 1))))]


async def send_body(send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]], kind: bytes = JSON) -> None:
    """A whole response."""
    lines = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def begin_events(send: Send, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """The head of a stream."""
    lines = [(b"content-type", EVENTS), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no"), *headers]
    await send({"type": "http.response.start", "status": 200, "headers": lines})


async def send_events(send: Send, data: bytes, *, more: bool = True) -> None:
    """Events of a stream; the last ones when not `more`."""
    await send({"type": "http.response.body", "body": data, "more_body": more})


def headers_in(scope: Scope) -> dict[bytes, bytes]:
    """The request's headers; the last of equal names, X-Forwarded-For joined, for every proxy adds one of its own."""
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        headers[name] = headers[name] + b"," + value if name == b"x-forwarded-for" and name in headers else value
    return headers
