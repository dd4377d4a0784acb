"""Policy: the admission matrix as data."""

from enum import IntEnum, StrEnum

import msgspec

from hauberk.core.scale import Confidence, Severity


class Action(IntEnum):
    """What is done with a message or a call; the larger wins."""

    ALLOW = 0
    FLAG = 1
    REDACT = 2
    ASK = 3
    BLOCK = 4


class Admission(StrEnum):
    """What is done with an asset: admit < hold < block."""

    ADMIT = "admit"
    HOLD = "hold"
    BLOCK = "block"

    @property
    def action(self) -> Action:
        """The same decision on the scale of `Action`."""
        return _ACTIONS[self]


_ACTIONS = {Admission.ADMIT: Action.ALLOW, Admission.HOLD: Action.ASK, Admission.BLOCK: Action.BLOCK}


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """One row of the admission matrix; the first row that fits decides. Empty tuples fit everything.

    A row with `gaps` judges gaps by reason; any other row judges findings.
    """

    admit: Admission
    kinds: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    min_severity: Severity = Severity.INFO
    min_confidence: Confidence = Confidence.LOW
    gaps: tuple[str, ...] = ()


class Suppression(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """An accepted finding or gap: who accepted it, why, and until when (ISO date)."""

    reason: str
    owner: str
    expires: str
    rule: str = ""
    asset: str = ""  # glob over the uri
    fingerprint: str = ""


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The admission matrix, and what was accepted for a time."""

    entries: tuple[Entry, ...]
    suppressions: tuple[Suppression, ...] = ()
    fail_on: Admission = Admission.HOLD
