"""Run: one execution, what store and report take."""

import msgspec

from hauberk.core.finding import Finding
from hauberk.core.gap import Gap
from hauberk.core.policy import Admission


class Versions(msgspec.Struct, frozen=True):
    """What this run was made with."""

    tool: str
    rules: str  # digest of the rule pack
    taxonomy: str = ""
    feeds: dict[str, str] = {}


class AssetRecord(msgspec.Struct, frozen=True, omit_defaults=False):
    """A top-level asset of the scan and its verdict."""

    uri: str
    kind: str
    verdict: Admission
    format: str = ""
    digest: str = ""  # "sha256:<hex>", "" when hashing was off or there is no content
    size: int = 0
    members: int = 0  # assets read inside it
    merkle: str = ""  # "blake3:<hex>" root over the tensors' leaves, "" when it has none
    parent: str = ""


class Run(msgspec.Struct, frozen=True):
    """One execution. Times are ISO 8601 UTC. `complete` is false after an interruption."""

    id: str
    command: str
    targets: tuple[str, ...]
    versions: Versions
    started: str
    ended: str = ""
    complete: bool = True
    assets: tuple[AssetRecord, ...] = ()
    findings: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()
    suppressed: tuple[str, ...] = ()  # fingerprints of findings accepted by the policy or a baseline
    notices: tuple[str, ...] = ()  # expired or unused suppressions, and the like
    exit_code: int = 0
