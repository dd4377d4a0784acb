"""The inspection: recursion, roots, and what a defect in a reader costs."""

import io
import pickle
import zipfile
from pathlib import Path

import pytest

from hauberk.assets.budget import Limits
from hauberk.core import GapReason
from hauberk.detect import Bench
from hauberk.rules import load_pack
from hauberk.scan import examine
from hauberk.scan.examine import Examined, examine_file, examine_unit
from hauberk.scan.options import ScanOptions
from hauberk.scan.walk import Walker

EVIL = b"cposix\nsystem\n(S'echo owned'\ntR."


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(load_pack().rules)


def examined(path: Path, bench: Bench, limits: Limits | None = None) -> list[Examined]:
    walker = Walker()
    walker.add(str(path))
    options = ScanOptions(limits=limits or Limits())
    return [*(examine_unit(u, bench, options) for u in walker.units), *(examine_file(e, bench, options) for e in walker.entries)]


def zipped(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


def test_members_count_against_the_file_that_holds_them(tmp_path: Path, bench: Bench) -> None:
    (tmp_path / "outer.zip").write_bytes(zipped("inner.zip", zipped("a.pkl", EVIL)))
    (seen,) = examined(tmp_path / "outer.zip", bench)
    finding = next(f for f in seen.findings if f.rule == "pickle-executes-code")
    assert finding.asset == f"{tmp_path}/outer.zip!/inner.zip!/a.pkl"
    assert finding.root == f"{tmp_path}/outer.zip"
    assert seen.record.members == 2


def test_deeper_than_the_limit_is_a_gap(tmp_path: Path, bench: Bench) -> None:
    data = EVIL
    for _ in range(6):
        data = zipped("m", data)
    (tmp_path / "deep.zip").write_bytes(data)
    (seen,) = examined(tmp_path / "deep.zip", bench, Limits(depth=3))
    assert GapReason.TOO_DEEP in {gap.reason for gap in seen.gaps}


def test_more_members_than_the_limit_is_a_gap(tmp_path: Path, bench: Bench) -> None:
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(40):
            archive.writestr(f"{number}.pkl", pickle.dumps(number))
    (seen,) = examined(tmp_path / "many.zip", bench, Limits(members=10))
    assert GapReason.TOO_LARGE in {gap.reason for gap in seen.gaps}


def test_what_a_directory_says_of_a_file_counts_against_that_file(tmp_path: Path, bench: Bench) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "weights.bin").symlink_to("../../../../../../../../etc/hostname")
    found = [f for seen in examined(tmp_path, bench) for f in seen.findings if f.rule == "repository-link-outside"]
    assert [f.root for f in found] == [f"{tmp_path}/below/weights.bin"]


def test_a_defect_in_a_reader_costs_one_gap(tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fake defect: no reader has a known one."""

    class Broken(examine.Inspection):
        def run(self, asset: object) -> object:
            del asset
            raise IndexError("a defect")

    monkeypatch.setattr(examine, "Inspection", Broken)
    (tmp_path / "a.pkl").write_bytes(EVIL)
    (seen,) = examined(tmp_path / "a.pkl", bench)
    assert [gap.reason for gap in seen.gaps] == [GapReason.DETECTOR_ERROR]
