"""Finding: a rule held against an asset, with its evidence."""

import hashlib

import msgspec

from hauberk.core.scale import Confidence, Severity


class Rate(msgspec.Struct, frozen=True):
    """A result of repeated trials; intervals are computed where it is shown."""

    hits: int
    trials: int


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where, and the quoted piece."""

    offset: int | None = None  # byte offset within the asset
    length: int | None = None
    where: str = ""  # opcode, key, tensor, member, line
    quote: str = ""
    note: str = ""
    rate: Rate | None = None
    score: float | None = None  # calibrated probability, of detectors that give one


class Finding(msgspec.Struct, frozen=True):
    """A rule held against an asset. `root` is the top-level asset of the scan that it counts against."""

    rule: str
    asset: str
    severity: Severity
    confidence: Confidence
    risk: str
    stage: str
    kind: str
    message: str
    evidence: tuple[Evidence, ...] = ()
    root: str = ""

    @property
    def fingerprint(self) -> str:
        """Stable name of this finding: rule, asset and quoted pieces, no offsets, so edits elsewhere do not change it."""
        # Undecodable names hash as `wellformed` spells them, so that a finding read back from a file keeps its name.
        pieces = sorted({f"{e.where}\x1f{e.quote}".encode("utf-8", "backslashreplace") for e in self.evidence})
        head = f"{self.rule}\x1e{self.asset}".encode("utf-8", "backslashreplace")
        return hashlib.sha256(b"\x1e".join((head, *pieces))).hexdigest()[:24]
