"""What an admin does with keys. Each change is atomic, seen here at once, and told to the audit."""

import secrets
import time
from collections.abc import Callable

import msgspec

from hauberk.guard.keys.key import Key, KeyProblem, KeyView, Retiring, Status, Terms
from hauberk.guard.keys.ring import KeyRing
from hauberk.guard.keys.token import digest, hint, new_token

DAY = 86_400.0
MAX_GRACE = 30 * DAY
MAX_RETIRING = 4  # rotated tokens in their grace at one time
MAX_REASON = 500


class AdminEvent(msgspec.Struct, frozen=True):
    """One change of a key, for the audit. Holds no token and no digest."""

    at: float  # seconds since the epoch
    action: str  # create, update, suspend, resume, revoke, rotate
    key_id: str
    by: str
    reason: str = ""
    before: KeyView | None = None
    after: KeyView | None = None


def _unheard(_event: AdminEvent) -> None:
    return


class KeyAdmin:
    """Creates and changes keys.

    Args:
        ring: The keys in memory and their store.
        emit: Takes each change. When it raises, a change that gives access is undone; one that takes access away stands.
        clock: Seconds since the epoch.
    """

    def __init__(
        self, ring: KeyRing, emit: Callable[[AdminEvent], None] = _unheard, clock: Callable[[], float] = time.time
    ) -> None:
        self._ring = ring
        self._emit = emit
        self._clock = clock

    def create(self, terms: Terms, by: str) -> tuple[KeyView, str]:
        """A new key and its token, which cannot be shown again. Raises KeyProblem, KeyStoreError."""
        terms.check()
        token = new_token()
        key = Key(
            id="key_" + secrets.token_hex(8),
            terms=terms,
            digest=digest(token, self._ring.pepper),
            hint=hint(token),
            created=self._clock(),
            created_by=by,
        )
        after = KeyView.of(key)
        event = AdminEvent(key.created, "create", key.id, by, after=after)
        self._ring.store.add(key, lambda _key: self._emit(event))
        self._ring.put(key)
        return after, token

    def list(self) -> list[KeyView]:
        """All keys, oldest first."""
        return [KeyView.of(key) for key in self._ring.all()]

    def show(self, key_id: str) -> KeyView:
        """One key. Raises KeyProblem."""
        key = self._ring.get(key_id)
        if key is None:
            raise KeyProblem(f"there is no key {key_id[:60]!r}; list the keys to see their ids")
        return KeyView.of(key)

    def update(self, key_id: str, terms: Terms, by: str) -> KeyView:
        """Replaces the terms. Raises KeyProblem, KeyStoreError."""
        terms.check()
        return self._change(key_id, "update", by, "", lambda key: msgspec.structs.replace(_standing(key), terms=terms))

    def suspend(self, key_id: str, by: str, reason: str) -> KeyView:
        """Closes a key until it is resumed. Raises KeyProblem, KeyStoreError."""
        return self._status(key_id, Status.SUSPENDED, "suspend", by, reason)

    def resume(self, key_id: str, by: str, reason: str = "") -> KeyView:
        """Opens a suspended key again. Raises KeyProblem, KeyStoreError."""
        return self._status(key_id, Status.ACTIVE, "resume", by, reason)

    def revoke(self, key_id: str, by: str, reason: str) -> KeyView:
        """Closes a key for good. Raises KeyProblem, KeyStoreError."""
        return self._status(key_id, Status.REVOKED, "revoke", by, reason)

    def rotate(self, key_id: str, by: str, grace: float = DAY) -> tuple[KeyView, str]:
        """A new token for the key; the old one works for `grace` seconds more. Raises KeyProblem, KeyStoreError."""
        if not 0 <= grace <= MAX_GRACE:
            raise KeyProblem(f"the grace period is 0 to {MAX_GRACE / DAY:g} days")
        token = new_token()
        sent, now = digest(token, self._ring.pepper), self._clock()

        def rotated(key: Key) -> Key:
            still = tuple(old for old in _standing(key).retiring if old.until > now)
            old = (*still, Retiring(key.digest, now + grace)) if grace else still
            return msgspec.structs.replace(key, digest=sent, hint=hint(token), retiring=old[-MAX_RETIRING:])

        return self._change(key_id, "rotate", by, f"grace {grace:g} s", rotated), token

    def _status(self, key_id: str, status: Status, action: str, by: str, reason: str) -> KeyView:
        def changed(key: Key) -> Key:
            held = _standing(key)
            return msgspec.structs.replace(held, status=status, reason=reason[:MAX_REASON], changed=self._clock(), changed_by=by)

        return self._change(key_id, action, by, reason[:MAX_REASON], changed)

    def _change(self, key_id: str, action: str, by: str, reason: str, change: Callable[[Key], Key]) -> KeyView:
        before: list[KeyView] = []

        def noted(key: Key) -> Key:
            before.append(KeyView.of(key))
            return change(key)

        def told(key: Key) -> None:
            self._emit(AdminEvent(self._clock(), action, key_id, by, reason, before[0], KeyView.of(key)))

        def later(_key: Key) -> None:
            return

        tightens = action in {"suspend", "revoke"}
        key = self._ring.store.change(key_id, noted, later if tightens else told)
        self._ring.put(key)
        if tightens:
            told(key)
        return KeyView.of(key)


def _standing(key: Key) -> Key:
    if key.status is Status.REVOKED:
        raise KeyProblem(f"key {key.id} is revoked, which is for good; create a new one")
    return key
