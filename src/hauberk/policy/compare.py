"""What changed between two runs."""

import msgspec

from hauberk.core import Admission, Finding, Gap, Run


class VerdictChange(msgspec.Struct, frozen=True):
    """A top-level asset whose verdict differs; None stands for "not there"."""

    uri: str
    before: Admission | None
    after: Admission | None


class Comparison(msgspec.Struct, frozen=True):
    """Findings by what became of them, and the verdicts and gaps that differ.

    A finding is `fixed` only where its asset was looked at again; where it was not, it is `unseen`.
    """

    before: str
    after: str
    new: tuple[Finding, ...]
    fixed: tuple[Finding, ...]
    unseen: tuple[Finding, ...]
    unchanged: tuple[Finding, ...]
    accepted: tuple[Finding, ...]  # still there, and accepted since
    verdicts: tuple[VerdictChange, ...]
    new_gaps: tuple[Gap, ...]
    closed_gaps: tuple[Gap, ...]


def compare(before: Run, after: Run) -> Comparison:
    """What changed from `before` to `after`; findings and gaps are told apart by their fingerprints."""
    old, new = _open(before), _open(after)
    there = {finding.fingerprint for finding in after.findings}
    looked_at = {record.uri for record in after.assets} if after.complete else {f.root for f in after.findings}
    gone = [finding for name, finding in old.items() if name not in there]
    old_gaps, new_gaps = _gaps(before), _gaps(after)
    return Comparison(
        before=before.id,
        after=after.id,
        new=tuple(finding for name, finding in new.items() if name not in old),
        fixed=tuple(finding for finding in gone if (finding.root or finding.asset) in looked_at),
        unseen=tuple(finding for finding in gone if (finding.root or finding.asset) not in looked_at),
        unchanged=tuple(finding for name, finding in new.items() if name in old),
        accepted=tuple(finding for name, finding in old.items() if name in there and name not in new),
        verdicts=_verdicts(before, after),
        new_gaps=tuple(gap for name, gap in new_gaps.items() if name not in old_gaps),
        closed_gaps=tuple(gap for name, gap in old_gaps.items() if name not in new_gaps),
    )


def _open(run: Run) -> dict[str, Finding]:
    accepted = set(run.suppressed)
    named = ((finding.fingerprint, finding) for finding in run.findings)
    return {name: finding for name, finding in named if name not in accepted}


def _gaps(run: Run) -> dict[str, Gap]:
    accepted = set(run.suppressed)
    named = ((gap.fingerprint, gap) for gap in run.gaps)
    return {name: gap for name, gap in named if name not in accepted}


def _verdicts(before: Run, after: Run) -> tuple[VerdictChange, ...]:
    old = {record.uri: record.verdict for record in before.assets}
    new = {record.uri: record.verdict for record in after.assets}
    uris = sorted({*old, *new})
    return tuple(VerdictChange(uri, old.get(uri), new.get(uri)) for uri in uris if old.get(uri) != new.get(uri))
