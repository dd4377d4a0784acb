"""A gateway without keys: whatever credential a client sends is passed over, and the limits of sources hold."""

from collections.abc import Callable

import msgspec

from hauberk.guard.dialects.dialect import Refusal
from hauberk.guard.exchange import Exchange, Usage
from hauberk.guard.gate import KeyGate
from hauberk.guard.gateway.hooks import Caller, Grant
from hauberk.guard.keys.key import Key, KeyProblem


class EmptyStore:
    """A key store that holds nothing."""

    def load(self) -> tuple[list[Key], int]:
        return [], 0

    def version(self) -> int:
        return 0

    def add(self, key: Key, check: Callable[[Key], None]) -> None:
        del key, check
        raise KeyProblem("this gateway runs without keys; set guard.keys.store")

    def change(self, key_id: str, change: Callable[[Key], Key], check: Callable[[Key], None]) -> Key:
        del key_id, change, check
        raise KeyProblem("this gateway runs without keys; set guard.keys.store")

    def close(self) -> None:
        return


class Keyless:
    """Implements the gateway's Gate over a KeyGate that lets sources in by themselves."""

    def __init__(self, gate: KeyGate) -> None:
        self._gate = gate

    async def admit(self, caller: Caller, exchange: Exchange) -> Grant | Refusal:
        return await self._gate.admit(_unnamed(caller), exchange)

    def identify(self, caller: Caller) -> Grant | Refusal:
        return self._gate.identify(_unnamed(caller))

    def allows_model(self, grant: Grant, model: str) -> bool:
        return self._gate.allows_model(grant, model)

    def stands(self, grant: Grant) -> bool:
        return self._gate.stands(grant)

    def first_token(self, grant: Grant, seconds: float) -> None:
        self._gate.first_token(grant, seconds)

    def settle(self, grant: Grant, usage: Usage, *, completed: bool) -> None:
        self._gate.settle(grant, usage, completed=completed)


def _unnamed(caller: Caller) -> Caller:
    return msgspec.structs.replace(caller, credential="")
