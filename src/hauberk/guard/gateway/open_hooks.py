"""The hooks of a gateway that only passes on: no keys, no limits, no detectors, no log."""

from hauberk.guard.dialects.dialect import Refusal
from hauberk.guard.exchange import Answer, Exchange, Usage
from hauberk.guard.gateway.hooks import Caller, Decision, Grant, Record, Release, Session

_ALLOWED = Decision()


class OpenGate:
    """Lets everybody in."""

    async def admit(self, caller: Caller, exchange: Exchange) -> Grant | Refusal:
        del caller, exchange
        return Grant(key_id="")

    def identify(self, caller: Caller) -> Grant | Refusal:
        del caller
        return Grant(key_id="")

    def allows_model(self, grant: Grant, model: str) -> bool:
        del grant, model
        return True

    def stands(self, grant: Grant) -> bool:
        del grant
        return True

    def first_token(self, grant: Grant, seconds: float) -> None:
        del grant, seconds

    def settle(self, grant: Grant, usage: Usage, *, completed: bool) -> None:
        del grant, usage, completed


class OpenSession:
    """Lets every token through at once."""

    async def push(self, channel: str, text: str, tool: str = "") -> Release:
        del tool
        return Release(((channel, text),))

    async def end(self, channel: str) -> Release:
        del channel
        return Release()

    def due(self) -> float | None:
        return None

    async def tick(self) -> Release:
        return Release()


class OpenInspector:
    """Finds nothing."""

    async def request(self, exchange: Exchange) -> Decision:
        del exchange
        return _ALLOWED

    async def answer(self, exchange: Exchange, answer: Answer) -> Decision:
        del exchange, answer
        return _ALLOWED

    def session(self, exchange: Exchange) -> Session:
        del exchange
        return OpenSession()


class SilentRecorder:
    """Keeps nothing."""

    def texts(self, exchange: Exchange) -> object:
        del exchange
        return ()

    async def finished(self, record: Record) -> None:
        del record
