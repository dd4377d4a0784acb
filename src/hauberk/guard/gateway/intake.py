"""The body of a request, read to its end and no further than allowed."""

from collections.abc import Mapping

from hauberk.guard.dialects.dialect import Refusal
from hauberk.guard.gateway.call import Refused
from hauberk.guard.gateway.refusals import too_large
from hauberk.guard.gateway.responses import Receive


class ClientGone(Exception):
    """The client closed the connection before its request was complete."""


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], most: int) -> bytes:
    """The whole body. Raises Refused when it is longer than `most` bytes or compressed, ClientGone when it ends early."""
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Refused(Refusal(415, "unsupported_encoding", "The request body is compressed. Send it as plain JSON."))
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length[:20]) > most:
        raise Refused(too_large(most))
    first: bytes = b""
    more: bytearray | None = None
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        data: bytes = message.get("body", b"")
        if len(first) + len(data) + len(more or b"") > most:
            raise Refused(too_large(most))
        if more is not None:
            more += data
        elif first:
            more, first = bytearray(first + data), b""
        else:
            first = data
        if not message.get("more_body", False):
            return first if more is None else bytes(more)
