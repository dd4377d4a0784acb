"""A stream that nobody judges: each event is written when it arrives, without waking a task for it."""

from hauberk.guard.gateway.call import Call, Write
from hauberk.guard.gateway.responses import Send, send_events
from hauberk.guard.gateway.stream_guard import StreamGuard
from hauberk.guard.gateway.upstream.upstream import Reply


async def pass_on(call: Call, guard: StreamGuard, reply: Reply, send: Send) -> bytes:
    """Passes events on until the upstream is done; what is to be sent last. The call has a `write`.

    Raises UpstreamError and BadUpstream.
    """
    assert call.write is not None
    passage = _Passage(call, guard, call.write)
    while not (await reply.pour(passage.take) or guard.done):
        left, passage.left = passage.left, b""
        await send_events(send, left)  # waits until the client has read
    return passage.left + await guard.close()


class _Passage:
    __slots__ = ("_call", "_guard", "_write", "left")

    def __init__(self, call: Call, guard: StreamGuard, write: Write) -> None:
        self._call = call
        self._guard = guard
        self._write = write
        self.left = b""  # what could not be written yet

    def take(self, data: bytes) -> bool:
        """Passes `data` on; False when the stream is done, or when the client must read first."""
        guard = self._guard
        wire = guard.pass_on(data)
        if guard.begun:
            self._call.first_token()
        if guard.done or (wire and not self._write(wire)):
            self.left = wire
            return False
        return True
