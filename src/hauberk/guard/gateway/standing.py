"""Ends streams whose keys no longer stand: one look at all of them now and then, and nothing for each event."""

import asyncio

from hauberk.guard.dialects.dialect import Refusal
from hauberk.guard.gateway.call import Call

LOOK = 1.0  # seconds between two looks


class Standing:
    """The streams under way, each with the task that pumps it. Has a timer only while there are any."""

    def __init__(self, seconds: float = LOOK) -> None:
        self._seconds = seconds
        self._tasks: dict[Call, asyncio.Task[object]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def enter(self, call: Call) -> None:
        """The present task begins to pump the stream of `call`."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks[call] = task
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._look)

    def leave(self, call: Call) -> None:
        """It has ended."""
        self._tasks.pop(call, None)

    def _look(self) -> None:
        self._timer = None
        for call, task in list(self._tasks.items()):
            if call.grant is not None and call.open and not call.gate.stands(call.grant):
                call.ended = _closed()
                task.cancel()
        if self._tasks:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._look)


def _closed() -> Refusal:
    words = "The API key of this request is no longer valid, so that the answer ends here."
    return Refusal(401, "invalid_api_key", words, type="authentication_error")
