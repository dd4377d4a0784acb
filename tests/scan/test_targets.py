"""What a user may name."""

import sys
from pathlib import Path

import pytest

from hauberk.core import GapReason
from hauberk.scan.options import ScanOptions
from hauberk.scan.spool import TargetError
from hauberk.scan.targets import Targets, environment_paths, is_package_file, opened


@pytest.mark.parametrize("name", ["a.py", "b.pyc", "c.so", "libx.so.5.0.0", "d.pyd", "e.js", "F.DLL"])
def test_source_and_libraries_are_package_files(name: str) -> None:
    assert is_package_file(name)


@pytest.mark.parametrize("name", ["model.pkl", "a.pth", "sitecustomize.py", "usercustomize.py", "so", "weights.safetensors", "py"])
def test_models_and_startup_hooks_are_not(name: str) -> None:
    assert not is_package_file(name)


def test_an_environment_by_its_prefix(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.12" / "site-packages"
    packages.mkdir(parents=True)
    assert environment_paths(str(tmp_path)) == [str(packages)]
    assert environment_paths(str(packages)) == [str(packages)]


def test_the_running_environment() -> None:
    assert any(path.startswith(sys.prefix) for path in environment_paths(""))


def test_no_environment_there(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="no Python environment"):
        environment_paths(str(tmp_path))


def test_what_an_environment_scan_leaves_out_is_one_gap(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.12" / "site-packages"
    (packages / "package").mkdir(parents=True)
    for name in ("__init__.py", "native.so", "model.pkl"):
        (packages / "package" / name).write_bytes(b"")
    (packages / "hook.pth").write_bytes(b"")
    with opened(Targets((), (str(packages),)), ScanOptions()) as walker:
        assert sorted(entry.name for entry in walker.entries) == ["hook.pth", "model.pkl"]
        assert [gap.reason for gap in walker.gaps] == [GapReason.NOT_REQUESTED]
        assert walker.units == []
