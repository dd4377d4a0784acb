"""A virtual key: what its holder may do, and where it stands."""

from enum import StrEnum
from ipaddress import ip_network

import msgspec

from hauberk.guard.limits.quota import Quota

MAX_NAMES = 1_000  # globs or networks in one list
MAX_NAME = 256
LATEST = 253_402_300_800.0  # the year 10000, in seconds since the epoch: no calendar goes further


class KeyProblem(ValueError):
    """A change that cannot be made; the message says why and what to do."""


class Status(StrEnum):
    """Where a key stands. Only a suspended key can come back."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What the holder of a key may do. Globs know `*` and `?`."""

    name: str
    tenant: str = ""
    models: tuple[str, ...] = ("*",)
    routes: tuple[str, ...] = ("*",)
    tools_allow: tuple[str, ...] = ("*",)
    tools_deny: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()  # CIDR; none means anywhere
    quota: Quota = Quota()
    expires: float | None = None  # seconds since the epoch

    def check(self) -> None:
        """Raises KeyProblem with everything that is wrong, in one line."""
        problems = self.quota.problems()
        if not self.name.strip() or len(self.name) > MAX_NAME:
            problems.append(f"name must be 1 to {MAX_NAME} characters")
        lists = (self.models, self.routes, self.tools_allow, self.tools_deny, self.networks)
        if any(len(names) > MAX_NAMES or any(len(n) > MAX_NAME for n in names) for names in lists):
            problems.append(f"a list holds at most {MAX_NAMES} entries of {MAX_NAME} characters")
        if self.expires is not None and not 0 <= self.expires < LATEST:
            problems.append("the expiry must lie before the year 10000")
        for network in self.networks[:MAX_NAMES]:
            try:
                ip_network(network, strict=False)
            except ValueError:
                problems.append(f"{network[:60]!r} is no network; write 10.0.0.0/8 or 2001:db8::/32")
        if problems:
            raise KeyProblem("; ".join(problems))


class Retiring(msgspec.Struct, frozen=True):
    """A token that was rotated away and works until `until`, seconds since the epoch."""

    digest: bytes
    until: float


class Key(msgspec.Struct, frozen=True):
    """A key as it is kept. The token itself is nowhere."""

    id: str
    terms: Terms
    digest: bytes
    hint: str  # the token's checksum, to find the record of a leaked key
    created: float  # seconds since the epoch, as the other times
    created_by: str
    status: Status = Status.ACTIVE
    reason: str = ""  # why the status is what it is
    changed: float = 0.0
    changed_by: str = ""
    retiring: tuple[Retiring, ...] = ()

    def live(self, now: float) -> bool:
        """Whether it opens anything at `now`."""
        return self.status is Status.ACTIVE and (self.terms.expires is None or now < self.terms.expires)


class KeyView(msgspec.Struct, frozen=True):
    """A key as admins are shown it: without digests."""

    id: str
    terms: Terms
    hint: str
    created: float
    created_by: str
    status: Status
    reason: str
    changed: float
    changed_by: str
    retiring: tuple[float, ...]  # until when rotated tokens still work

    @classmethod
    def of(cls, key: Key) -> "KeyView":
        """What may be shown of `key`."""
        return cls(
            id=key.id,
            terms=key.terms,
            hint=key.hint,
            created=key.created,
            created_by=key.created_by,
            status=key.status,
            reason=key.reason,
            changed=key.changed,
            changed_by=key.changed_by,
            retiring=tuple(old.until for old in key.retiring),
        )
