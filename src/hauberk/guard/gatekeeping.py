"""The gate with its stores, its ledger and its thread: one object over every reload that leaves its settings alone."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack

import msgspec

from hauberk.guard.gate import KeyGate
from hauberk.guard.keyless import EmptyStore, Keyless
from hauberk.guard.keys import AdminEvent, KeyAdmin, KeyRing, SqliteKeyStore
from hauberk.guard.limits.anomaly import Alarm
from hauberk.guard.limits.ledger import Ledger
from hauberk.guard.limits.limiter import Limiter
from hauberk.guard.limits.shared.replica import Replica
from hauberk.guard.limits.turnstile import Turnstile
from hauberk.guard.recorder import AuditRecorder
from hauberk.guard.tables import Tables, secret_in


class Gatekeeping:
    """Keys, budgets, limits and baselines as `[guard.keys]` and `[guard.limits]` say.

    Raises KeyStoreError, OSError, ValueError or sqlite3.Error when something named there cannot be used.
    """

    def __init__(self, tables: Tables, recorder: AuditRecorder) -> None:
        self._settings = (tables.keys, tables.limits)
        self._recorder = recorder
        self._users = 0
        self._started = False
        self._replica: Replica | None = None
        self._stack = ExitStack()
        try:
            self._keyed = self._made(tables)
        except BaseException:
            self._stack.close()
            raise
        self.gate: KeyGate | Keyless = self._keyed if tables.keys.store else Keyless(self._keyed)

    def serves(self, tables: Tables) -> bool:
        """Whether another gate for `tables` would be the same."""
        return self._settings == (tables.keys, tables.limits)

    def follow(self, former: "Gatekeeping") -> None:
        """Takes over what `former` has learnt about each key; what it counted under other limits is not."""
        self._keyed.monitor.restore(former.learnt())

    def learnt(self) -> bytes:
        """What each key usually does."""
        return self._keyed.monitor.snapshot()

    @property
    def used(self) -> bool:
        """Whether some parts still use it."""
        return self._users > 0

    def tell(self, recorder: AuditRecorder) -> None:
        """Has `recorder` hear of changes and alarms from now on."""
        self._recorder = recorder

    def enter(self) -> None:
        """One more set of parts uses it."""
        self._users += 1

    def leave(self) -> None:
        """One fewer; with the last, threads and files are closed. May block for seconds."""
        self._users -= 1
        if self._users <= 0:
            self._stack.close()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Starts the thread that talks to Redis, whose news are taken in `loop`; a second call does nothing."""
        replica = self._replica
        if replica is None or self._started:
            return
        self._started = True
        replica.changed = lambda: _soon(loop, self._keyed.turnstile.wake)

        def closed(key: str, status: str, reason: str, at: float) -> None:
            _soon(loop, lambda: self._keyed.closed_elsewhere(key, status, reason, at))

        replica.closed = closed
        replica.start()
        self._stack.callback(replica.stop)

    def _made(self, tables: Tables) -> KeyGate:
        store = SqliteKeyStore(tables.keys.store) if tables.keys.store else EmptyStore()
        self._stack.callback(store.close)
        pepper = secret_in(tables.keys.pepper_env, "keys.pepper-env") if tables.keys.store else b""
        ring = KeyRing(store, pepper)
        spending = tables.keys.spending or (f"{tables.keys.store}.spent" if tables.keys.store else None)
        ledger = Ledger(spending, time.time)
        self._stack.callback(ledger.close)  # what was spent in the last second is written
        replica = self._replica = Replica(tables.limits.shared, tables.limits.window) if tables.limits.shared.url else None
        turnstile = Turnstile(Limiter(tables.limits, ledger, replica.make if replica else None, replica))
        return KeyGate(
            tables.gate,
            ring,
            turnstile,
            admin=KeyAdmin(ring, self._heard),
            alarm=lambda alarm: self._recorder.event_soon("anomaly", _alarm(alarm)),
            publish=replica.publish if replica else _unpublished,
        )

    def _heard(self, event: AdminEvent) -> None:
        self._recorder.event_soon("key", told(event))
        self._keyed.heard(event)


def told(event: AdminEvent) -> dict[str, object]:
    """A change of a key as the audit log keeps it."""
    data = msgspec.to_builtins(event, builtin_types=())
    return {"event": data.pop("action"), **data}


def _alarm(alarm: Alarm) -> dict[str, object]:
    return {"event": str(alarm.signal), **msgspec.to_builtins(alarm)}


def _unpublished(key: str, status: str, reason: str, at: float) -> None:
    del key, status, reason, at  # no other replicas


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)
