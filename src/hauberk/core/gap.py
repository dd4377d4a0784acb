"""Gap: what was not looked at, or not to the end, and why. A gap never reads as clean."""

import hashlib
from enum import StrEnum

import msgspec


class GapReason(StrEnum):
    """Why something was not looked at to its end."""

    UNRECOGNISED = "unrecognised"  # no reader knows this format
    UNSUPPORTED = "unsupported"  # the format is known, this part or version of it is not read in depth
    MALFORMED = "malformed"  # the reader could not follow the bytes to their end
    TRUNCATED = "truncated"  # the file ends before its own structure does
    ENCRYPTED = "encrypted"
    TOO_LARGE = "too-large"  # over a size, ratio or count limit
    TOO_DEEP = "too-deep"
    TIMEOUT = "timeout"
    UNREADABLE = "unreadable"  # permission, I/O error, device file, socket, vanished
    ABSENT = "absent"  # named by something in scope but not there: an LFS pointer, a shard, a remote reference
    UNDECIDED = "undecided"  # looked at, and neither safe nor unsafe could be concluded
    DETECTOR_ERROR = "detector-error"
    NOT_REQUESTED = "not-requested"  # the user switched it off
    INTERRUPTED = "interrupted"
    STALE = "stale"  # data this check needs is out of date


class Gap(msgspec.Struct, frozen=True):
    """What was not looked at. `root` is the top-level asset of the scan that it counts against."""

    asset: str
    reason: GapReason
    note: str
    kind: str = ""
    rule: str = ""  # rule or detector concerned, if one
    offset: int | None = None
    root: str = ""

    @property
    def fingerprint(self) -> str:
        """Stable name of this gap: reason, rule and asset; notes and offsets are left out."""
        material = f"gap\x1e{self.reason}\x1e{self.rule}\x1e{self.asset}"
        return hashlib.sha256(material.encode("utf-8", "backslashreplace")).hexdigest()[:24]
