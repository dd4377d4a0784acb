import datetime as dt
from pathlib import Path

import pytest

from hauberk.core import (
    Admission,
    AssetRecord,
    Confidence,
    Entry,
    Evidence,
    Finding,
    Gap,
    GapReason,
    Policy,
    Run,
    Severity,
    Suppression,
    Versions,
)
from hauberk.policy import DEFAULT_POLICY, PolicyError
from hauberk.policy.baseline import Baseline, Known, baseline_of, encode_baseline, read_baseline, write_baseline
from hauberk.policy.verdicts import concluded

TODAY = dt.date(2026, 11, 21)


def finding(asset: str, severity: Severity = Severity.HIGH, confidence: Confidence = Confidence.HIGH, **more: str) -> Finding:
    values = {"rule": "r", "risk": "x", "stage": "model", "kind": "model", "message": "m", "root": asset.partition("!/")[0]} | more
    return Finding(asset=asset, severity=severity, confidence=confidence, evidence=(Evidence(quote="q"),), **values)


def gap(asset: str, reason: GapReason = GapReason.ENCRYPTED) -> Gap:
    return Gap(asset, reason, "note", kind="archive", root=asset.partition("!/")[0])


def run_of(*items: Finding | Gap, assets: tuple[str, ...] = ("a", "b"), complete: bool = True, digest: str = "") -> Run:
    return Run(
        id="r",
        command="scan",
        targets=("t",),
        versions=Versions("0.1.0", "d"),
        started="s",
        complete=complete,
        assets=tuple(AssetRecord(uri=uri, kind="model", verdict=Admission.ADMIT, digest=digest) for uri in assets),
        findings=tuple(item for item in items if isinstance(item, Finding)),
        gaps=tuple(item for item in items if isinstance(item, Gap)),
    )


def conclude(run: Run, policy: Policy = DEFAULT_POLICY, baseline: Baseline | None = None) -> Run:
    return concluded(run, policy, baseline, TODAY)


def verdicts(run: Run) -> dict[str, str]:
    return {record.uri: record.verdict.value for record in run.assets}


def accepting(**fields: str) -> Policy:
    values = {"reason": "seen", "owner": "li", "expires": "2026-12-31"} | fields
    return Policy(DEFAULT_POLICY.entries, (Suppression(**values),))


@pytest.mark.parametrize(
    ("items", "fail_on", "code"),
    [
        ((), Admission.HOLD, 0),
        ((finding("a", Severity.LOW),), Admission.HOLD, 0),
        ((finding("a", Severity.MEDIUM),), Admission.HOLD, 1),
        ((finding("a", Severity.MEDIUM),), Admission.BLOCK, 0),
        ((finding("a", Severity.CRITICAL),), Admission.BLOCK, 1),
        ((gap("a"),), Admission.HOLD, 3),
        ((gap("a", GapReason.NOT_REQUESTED),), Admission.HOLD, 3),
        ((finding("a", Severity.LOW), gap("b")), Admission.HOLD, 3),
        ((finding("a"), gap("b")), Admission.HOLD, 1),
        ((finding("a", Severity.MEDIUM), gap("b")), Admission.BLOCK, 3),
    ],
)
def test_exit_codes(items: tuple[Finding | Gap, ...], fail_on: Admission, code: int) -> None:
    assert conclude(run_of(*items), Policy(DEFAULT_POLICY.entries, fail_on=fail_on)).exit_code == code


def test_a_gap_that_holds_an_asset_is_still_incomplete_and_no_finding() -> None:
    run = conclude(run_of(gap("a")))
    assert verdicts(run) == {"a": "hold", "b": "admit"}
    assert run.exit_code == 3


def test_an_interrupted_run_is_never_clean() -> None:
    assert conclude(run_of(complete=False)).exit_code == 3


def test_members_count_against_their_top_level_asset() -> None:
    run = conclude(run_of(finding("a!/x/y", Severity.CRITICAL), finding("b!/z", Severity.MEDIUM)))
    assert verdicts(run) == {"a": "block", "b": "hold"}


def test_a_directory_is_no_better_than_its_files() -> None:
    run = run_of(finding("d/a"), assets=())
    records = (
        AssetRecord(uri="d", kind="repository", verdict=Admission.ADMIT),
        AssetRecord(uri="d/a", kind="model", verdict=Admission.ADMIT, parent="d"),
        AssetRecord(uri="d/b", kind="model", verdict=Admission.ADMIT, parent="d"),
    )
    run = conclude(Run(**{name: getattr(run, name) for name in run.__struct_fields__} | {"assets": records}))
    assert verdicts(run) == {"d": "block", "d/a": "block", "d/b": "admit"}


def test_what_nobody_recorded_is_recorded() -> None:
    run = conclude(run_of(gap("gone", GapReason.UNREADABLE), assets=()))
    assert verdicts(run) == {"gone": "admit"}
    assert run.exit_code == 3


def test_entries_fit_in_order_and_by_every_field() -> None:
    entries = (
        Entry(Admission.ADMIT, kinds=("text",)),
        Entry(Admission.BLOCK, stages=("data",)),
        Entry(Admission.BLOCK, risks=("licence-risk",), min_severity=Severity.MEDIUM),
        Entry(Admission.BLOCK, rules=("named",)),
        Entry(Admission.BLOCK, gaps=("stale",), kinds=("archive",)),
        *DEFAULT_POLICY.entries,
    )
    run = run_of(
        finding("text", Severity.CRITICAL, kind="text"),
        finding("data", Severity.INFO, stage="data"),
        finding("risk", Severity.MEDIUM, Confidence.LOW, risk="licence-risk"),
        finding("less", Severity.LOW, risk="licence-risk"),
        finding("rule", Severity.INFO, rule="named"),
        gap("stale", GapReason.STALE),
        gap("other", GapReason.ABSENT),
        assets=(),
    )
    assert verdicts(conclude(run, Policy(entries))) == {
        "text": "admit",
        "data": "block",
        "risk": "block",
        "less": "admit",
        "rule": "block",
        "stale": "block",
        "other": "admit",
    }


def test_what_no_entry_fits_is_held() -> None:
    assert verdicts(conclude(run_of(finding("a"), gap("b")), Policy(()))) == {"a": "hold", "b": "hold"}


@pytest.mark.parametrize(
    ("fields", "accepted"),
    [
        ({"rule": "r"}, {"models/a.pkl", "models/b.bin"}),
        ({"rule": "other"}, set()),
        ({"asset": "models/a.pkl"}, {"models/a.pkl"}),
        ({"asset": "*.pkl"}, {"models/a.pkl"}),
        ({"asset": "a.pkl"}, {"models/a.pkl"}),
        ({"asset": "pkl"}, set()),
        ({"asset": "models/*"}, {"models/a.pkl", "models/b.bin", "models/c.zip"}),
        ({"asset": "models/*", "rule": "r"}, {"models/a.pkl", "models/b.bin"}),
        ({"rule": "gap:encrypted"}, {"models/c.zip"}),
        ({"rule": "gap:stale"}, set()),
        ({"fingerprint": finding("models/a.pkl!/x").fingerprint}, {"models/a.pkl"}),
        ({"fingerprint": finding("models/a.pkl!/x").fingerprint, "asset": "other"}, set()),
    ],
)
def test_suppressions_select(fields: dict[str, str], accepted: set[str]) -> None:
    items = (finding("models/a.pkl!/x"), finding("models/b.bin"), gap("models/c.zip"))
    run = conclude(run_of(*items, assets=()), accepting(**fields))
    names = {item.fingerprint: item.root for item in items}
    assert {names[fingerprint] for fingerprint in run.suppressed} == accepted
    assert {uri for uri, verdict in verdicts(run).items() if verdict == "admit"} == accepted
    assert len(run.notices) == (0 if accepted else 1)


def test_a_suppression_holds_on_its_last_day_and_not_on_the_next() -> None:
    assert conclude(run_of(finding("a")), accepting(rule="r", expires="2026-11-21")).exit_code == 0
    run = conclude(run_of(finding("a")), accepting(rule="r", expires="2026-11-20"))
    assert run.exit_code == 1
    assert run.notices == ("suppression (rule 'r') expired on 2026-11-20: what it accepted counts again (owner: li)",)


def test_an_unused_suppression_is_told() -> None:
    assert conclude(run_of(), accepting(rule="r")).notices == ("suppression (rule 'r') was not needed; remove it (owner: li)",)


def test_everything_accepted_is_clean() -> None:
    run = conclude(run_of(finding("a"), gap("a")), accepting(asset="a"))
    assert (run.exit_code, len(run.suppressed)) == (0, 2)


def test_concluding_twice_changes_nothing() -> None:
    policy = accepting(rule="gap:encrypted", expires="2026-01-01")
    run = conclude(run_of(finding("a"), gap("b")), policy)
    assert conclude(run, policy) == run


def test_a_baseline_accepts_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "base.json"
    assert write_baseline(run_of(finding("a"), finding("a"), gap("b"), digest="sha256:1"), path) == 2
    before = path.read_bytes()
    baseline = read_baseline(path)
    assert encode_baseline(baseline) == before
    run = conclude(run_of(finding("a"), gap("b"), finding("b", rule="new"), digest="sha256:1"), baseline=baseline)
    assert len(run.suppressed) == 2
    assert run.exit_code == 1
    assert conclude(run_of(finding("a"), gap("b"), digest="sha256:1"), baseline=baseline).exit_code == 0


def test_a_baseline_is_sorted_and_can_be_reviewed() -> None:
    baseline = baseline_of(run_of(finding("b"), gap("a"), finding("a")))
    assert [(known.asset, known.rule) for known in baseline.entries] == [("a", "gap:encrypted"), ("a", "r"), ("b", "r")]
    assert b'"message": "m"' in encode_baseline(baseline)


def test_a_gap_is_accepted_only_for_the_bytes_it_was_accepted_for() -> None:
    baseline = baseline_of(run_of(gap("a"), digest="sha256:1"))
    assert conclude(run_of(gap("a"), digest="sha256:1"), baseline=baseline).exit_code == 0
    assert conclude(run_of(gap("a"), digest="sha256:2"), baseline=baseline).exit_code == 3
    assert conclude(run_of(gap("a")), baseline=baseline).exit_code == 3


def test_baseline_entries_that_are_gone_are_told() -> None:
    baseline = baseline_of(run_of(*(finding(f"f{n}") for n in range(5))))
    notice = conclude(run_of(finding("f0")), baseline=baseline).notices[0]
    assert notice == "baseline: 4 of 5 entries are no longer seen (r in f1; r in f2; r in f3 and 1 more); write it anew"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a baseline"),
        (b"[]", "not a baseline"),
        (b'{"schema": "hauberk.baseline/1", "tool": "x", "entries": [{"rule": 3}]}', "not a baseline"),
        (b'{"schema": "hauberk.baseline/9", "tool": "x", "entries": []}', "is not 'hauberk.baseline/1'"),
        (b"\xff\xfe", "not a baseline"),
    ],
)
def test_what_is_no_baseline(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "base.json"
    path.write_bytes(data)
    with pytest.raises(PolicyError) as caught:
        read_baseline(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_baseline_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        read_baseline(tmp_path / "none")
    with pytest.raises(PolicyError, match="cannot be written"):
        write_baseline(run_of(), tmp_path / "none" / "base.json")
    assert Known("f", "r", "a") == Known("f", "r", "a", "", "")
