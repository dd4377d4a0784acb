"""The keys in memory, where each request looks them up."""

import hmac
import logging
import time
from collections.abc import Callable

from hauberk.core import Gap, GapReason
from hauberk.guard.keys.key import Key, Status
from hauberk.guard.keys.permit import Permit
from hauberk.guard.keys.store import KeyStore, KeyStoreError
from hauberk.guard.keys.token import digest, well_formed

_log = logging.getLogger(__name__)
POLL_SECONDS = 0.5
_INDEX = 16  # bytes of the digest that find the entry; the whole is then compared in constant time


class KeyRing:
    """Every key, by the digest of its token. A change in another process is seen after `poll_seconds`, one here at once.

    Looking up is one hash and one dict hit. An attacker learns nothing from its time: what is looked up is a keyed hash of
    what was sent, and the full comparison takes the same time wherever the two differ.

    Args:
        store: Where the keys are kept.
        pepper: Secret that digests are keyed with, from the environment, not from the store.
        poll_seconds: How old the view may be.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        store: KeyStore,
        pepper: bytes = b"",
        *,
        poll_seconds: float = POLL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self.pepper = pepper
        self.gap: Gap | None = None  # set while the store cannot be read
        self.changed: Callable[[Key | None, Key], None] = _unheard  # told of keys that another process made, closed or opened
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._index: dict[bytes, Permit] = {}
        self._seen = clock()
        self._due = 0.0
        self._version = -1
        self.damaged = 0
        self._load()

    def find(self, token: str) -> Permit | None:
        """What the token opens; None when it is no key. The permit may be expired or revoked: ask `live`."""
        self.poll()
        if not well_formed(token):
            return None
        sent = digest(token, self.pepper)
        permit = self._index.get(sent[:_INDEX])
        return permit if permit is not None and hmac.compare_digest(permit.digest, sent) else None

    def get(self, key_id: str) -> Key | None:
        self.poll()
        return self._keys.get(key_id)

    def all(self) -> list[Key]:
        """All keys, by creation."""
        self.poll()
        return sorted(self._keys.values(), key=lambda key: (key.created, key.id))

    def active(self, key_id: str, now: float) -> bool:
        """Whether the key still stands at `now` (seconds since the epoch); asked again for streams that run long."""
        key = self.get(key_id)
        return key is not None and key.live(now)

    @property
    def age(self) -> float:
        """Seconds since the store was last read or known unchanged."""
        return self._clock() - self._seen

    def poll(self) -> None:
        """Looks whether another process changed the store, if the last look is old enough."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + self._poll_seconds
        try:
            if self.store.version() != self._version:
                self._load()
            self._seen = self._clock()
            self.gap = None
        except KeyStoreError as error:
            # What is known stays in force; the gate refuses when this lasts longer than its policy allows.
            if self.gap is None:
                _log.warning("keys may have changed unseen: %s", error)
            self.gap = Gap(asset="guard:keys", reason=GapReason.STALE, note=f"keys may have changed unseen: {error}")

    def put(self, key: Key) -> None:
        """Takes over a change made in this process, at once."""
        self._forget(key.id)
        self._keys[key.id] = key
        if key.status is Status.REVOKED:
            return
        self._enter(Permit(key, key.digest))
        for old in key.retiring:
            self._enter(Permit(key, old.digest, old.until))

    def _enter(self, permit: Permit) -> None:
        self._index[permit.digest[:_INDEX]] = permit

    def _forget(self, key_id: str) -> None:
        before = self._keys.pop(key_id, None)
        if before is not None:
            for known in (before.digest, *(old.digest for old in before.retiring)):
                self._index.pop(known[:_INDEX], None)

    def _load(self) -> None:
        version = self.store.version()  # before the rows: a change in between is then seen as one to come
        keys, self.damaged = self.store.load()
        before, begun = dict(self._keys), self._version >= 0
        self._keys.clear()
        self._index.clear()
        for key in keys:
            self.put(key)
        self._version = version
        for key in sorted(keys, key=lambda key: key.created) if begun else ():
            known = before.get(key.id)
            if known is None or known.status is not key.status:
                self.changed(known, key)


def _unheard(_before: Key | None, _after: Key) -> None:
    return
