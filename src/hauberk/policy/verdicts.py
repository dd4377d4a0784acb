"""From what was seen to a verdict on every top-level asset, and to the exit code of the run."""

import datetime as dt
from collections.abc import Iterable
from enum import IntEnum
from typing import Protocol

import msgspec

from hauberk.core import Admission, AssetRecord, Finding, Gap, Kind, Policy, Run
from hauberk.core.policy import Action
from hauberk.core.wellformed import well_formed
from hauberk.policy.baseline import Baseline
from hauberk.policy.decide import admission_of
from hauberk.policy.suppress import Suppressor

Item = Finding | Gap


class ExitCode(IntEnum):
    """What a scan tells the shell. A usage or tool error is 2 and comes from elsewhere."""

    CLEAN = 0
    FINDINGS = 1
    ERROR = 2
    INCOMPLETE = 3


class _Acceptor(Protocol):
    def accepts(self, item: Item) -> bool: ...
    def notices(self) -> list[str]: ...


def concluded(run: Run, policy: Policy, baseline: Baseline | None = None, today: dt.date | None = None) -> Run:
    """`run` with its verdicts, suppressed fingerprints, notices and exit code. Safe to apply again. Raises PolicyError."""
    run = well_formed(run)
    acceptors: list[_Acceptor] = [Suppressor(policy.suppressions, today or dt.datetime.now(dt.UTC).date())]
    if baseline is not None:
        acceptors.append(baseline.matcher({record.uri: record.digest for record in run.assets}))
    suppressed: set[str] = set()
    by_finding: dict[str, Action] = {}
    overall: dict[str, Action] = {}
    open_gaps = 0
    for item in (*run.findings, *run.gaps):
        root = item.root or item.asset
        if _accepted(acceptors, item):
            suppressed.add(item.fingerprint)
            overall.setdefault(root, Action.ALLOW)
            continue
        action = admission_of(policy, item).action
        overall[root] = max(action, overall.get(root, Action.ALLOW))
        if isinstance(item, Gap):
            open_gaps += 1
        else:
            by_finding[root] = max(action, by_finding.get(root, Action.ALLOW))
    worst = max(by_finding.values(), default=Action.ALLOW)
    return msgspec.structs.replace(
        run,
        assets=_decided(run.assets, overall, _kinds(run)),
        suppressed=tuple(sorted(suppressed)),
        notices=_merged(run.notices, acceptors),
        exit_code=int(_exit_code(worst, policy.fail_on, incomplete=bool(open_gaps) or not run.complete)),
    )


def _accepted(acceptors: Iterable[_Acceptor], item: Item) -> bool:
    # Every acceptor is asked, so that each knows what it was of use for.
    return sum(acceptor.accepts(item) for acceptor in acceptors) > 0


def _exit_code(worst: Action, fail_on: Admission, *, incomplete: bool) -> ExitCode:
    if worst > Action.ALLOW and worst >= fail_on.action:
        return ExitCode.FINDINGS
    return ExitCode.INCOMPLETE if incomplete else ExitCode.CLEAN


def _kinds(run: Run) -> dict[str, str]:
    return {item.root or item.asset: item.kind for item in (*run.findings, *run.gaps) if item.kind}


def _decided(records: Iterable[AssetRecord], actions: dict[str, Action], kinds: dict[str, str]) -> tuple[AssetRecord, ...]:
    """The records with their verdicts; what was found in an asset nobody recorded makes a record of its own.

    A directory that is one thing is never better than the files in it.
    """
    records = list(records)
    recorded = {record.uri for record in records}
    records.extend(
        AssetRecord(uri=uri, kind=kinds.get(uri) or Kind.BINARY, verdict=Admission.ADMIT) for uri in actions if uri not in recorded
    )
    own = dict(actions)
    for record in records:
        if record.parent:
            own[record.parent] = max(own.get(record.parent, Action.ALLOW), actions.get(record.uri, Action.ALLOW))
    return tuple(msgspec.structs.replace(record, verdict=_admission(own.get(record.uri, Action.ALLOW))) for record in records)


def _admission(action: Action) -> Admission:
    if action >= Action.BLOCK:
        return Admission.BLOCK
    return Admission.HOLD if action >= Action.ASK else Admission.ADMIT


def _merged(notices: tuple[str, ...], acceptors: Iterable[_Acceptor]) -> tuple[str, ...]:
    merged = dict.fromkeys(notices)
    for acceptor in acceptors:
        merged.update(dict.fromkeys(acceptor.notices()))
    return tuple(merged)
