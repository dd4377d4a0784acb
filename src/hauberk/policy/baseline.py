"""Baselines: what was there when Hauberk was adopted, in a file that people review and commit."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from hauberk.core import Finding, Gap, Run
from hauberk.core.wellformed import well_formed
from hauberk.policy.errors import PolicyError
from hauberk.policy.suppress import GAP_RULE

SCHEMA = "hauberk.baseline/1"
SHOWN = 3  # vanished entries named in the notice
LARGEST = 256 << 20


class Known(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One accepted finding or gap. `digest` binds a gap to the bytes it was accepted for."""

    fingerprint: str
    rule: str
    asset: str
    message: str = ""
    digest: str = ""


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A versioned list, sorted so that a review shows only what changed."""

    schema: str
    tool: str
    entries: tuple[Known, ...]

    def matcher(self, digests: Mapping[str, str]) -> "Matcher":
        """What tells which findings and gaps are known. `digests` are those of the top-level assets by uri."""
        return Matcher(self, digests)


class Matcher:
    """Holds a baseline against findings and gaps, and remembers what was seen of it."""

    def __init__(self, baseline: Baseline, digests: Mapping[str, str]) -> None:
        self._entries = baseline.entries
        self._digests = digests
        self._by_fingerprint: dict[str, set[str]] = {}
        for known in baseline.entries:
            self._by_fingerprint.setdefault(known.fingerprint, set()).add(known.digest)
        self._seen: set[str] = set()

    def accepts(self, item: Finding | Gap) -> bool:
        """Whether `item` is in the baseline; a gap only while its bytes are those that were accepted."""
        bound = self._by_fingerprint.get(item.fingerprint)
        if bound is None:
            return False
        self._seen.add(item.fingerprint)
        return isinstance(item, Finding) or "" in bound or self._digests.get(item.root, "") in bound

    def notices(self) -> list[str]:
        """One line when entries of the baseline were not seen."""
        gone = [known for known in self._entries if known.fingerprint not in self._seen]
        if not gone:
            return []
        some = "; ".join(f"{known.rule} in {known.asset}" for known in gone[:SHOWN])
        more = f" and {len(gone) - SHOWN} more" if len(gone) > SHOWN else ""
        return [f"baseline: {len(gone)} of {len(self._entries)} entries are no longer seen ({some}{more}); write it anew"]


def baseline_of(run: Run) -> Baseline:
    """Everything `run` saw, as a baseline."""
    digests = {record.uri: record.digest for record in run.assets}
    entries = {(known.asset, known.rule, known.fingerprint): known for known in _known(run, digests)}
    return Baseline(SCHEMA, run.versions.tool, tuple(entries[key] for key in sorted(entries)))


def _known(run: Run, digests: Mapping[str, str]) -> Iterator[Known]:
    for finding in well_formed(run.findings):
        yield Known(finding.fingerprint, finding.rule, finding.asset, finding.message)
    for gap in well_formed(run.gaps):
        yield Known(gap.fingerprint, GAP_RULE + gap.reason, gap.asset, gap.note, digests.get(gap.root, ""))


def encode_baseline(baseline: Baseline) -> bytes:
    """The baseline as its file, one entry's field a line."""
    return msgspec.json.format(msgspec.json.encode(baseline), indent=1) + b"\n"


def write_baseline(run: Run, path: str | os.PathLike[str]) -> int:
    """Writes the baseline of `run` to `path`, whole or not at all; returns how many entries it has. Raises PolicyError."""
    baseline = baseline_of(run)
    target = Path(path)
    temporary = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(encode_baseline(baseline))
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise PolicyError(f"{target}: the baseline cannot be written: {(error.strerror or str(error)).lower()}") from error
    return len(baseline.entries)


def read_baseline(path: str | os.PathLike[str]) -> Baseline:
    """The baseline in `path`. Raises PolicyError."""
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise PolicyError(f"{path}: the baseline cannot be read: {(error.strerror or str(error)).lower()}") from error
    if len(data) > LARGEST:
        raise PolicyError(f"{path}: larger than any baseline; write it anew with --write-baseline")
    try:
        baseline = msgspec.json.decode(data, type=Baseline)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path}: not a baseline: {error}; write it anew with --write-baseline") from error
    if baseline.schema != SCHEMA:
        raise PolicyError(f"{path}: schema {baseline.schema!r} is not {SCHEMA!r}; write it anew with --write-baseline")
    return baseline
