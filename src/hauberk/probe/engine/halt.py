"""Halt: the run is asked to end; what is on its way is let in."""

import asyncio
import contextlib
from collections.abc import Callable

from hauberk.probe.engine.errors import Stop


class Halt:
    """Why the run ends before its plan does, "" while it goes on. `fatal` when nothing could have gone better."""

    def __init__(self) -> None:
        self.why = ""
        self.fatal = False
        self._event = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []

    def stop(self, why: str, *, fatal: bool = False) -> None:
        """Asks for the end; the first reason stays."""
        if self.why:
            return
        self.why, self.fatal = why, fatal
        self._event.set()
        for listener in self._listeners:
            listener()

    def on_stop(self, listener: Callable[[], None]) -> None:
        """Calls `listener` when the end is asked for."""
        self._listeners.append(listener)

    def check(self) -> None:
        """Raises Stop when the run is to end."""
        if self.why:
            raise Stop(self.why)

    async def sleep(self, seconds: float) -> None:
        """Waits, unless the end is asked for. Raises Stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), seconds)
        self.check()
