"""Virtual keys: made by an admin, hashed at rest, looked up in memory, revoked at once."""

from hauberk.guard.keys.admin import AdminEvent, KeyAdmin
from hauberk.guard.keys.key import Key, KeyProblem, KeyView, Status, Terms
from hauberk.guard.keys.permit import Permit
from hauberk.guard.keys.ring import KeyRing
from hauberk.guard.keys.store import KeyStore, KeyStoreError, SqliteKeyStore

__all__ = [
    "AdminEvent",
    "Key",
    "KeyAdmin",
    "KeyProblem",
    "KeyRing",
    "KeyStore",
    "KeyStoreError",
    "KeyView",
    "Permit",
    "SqliteKeyStore",
    "Status",
    "Terms",
]
