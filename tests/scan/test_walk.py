"""The walker: every file once, units, links, loops, special files."""

import os
import socket
from pathlib import Path

import pytest

from hauberk.core import GapReason
from hauberk.scan.walk import Walker


def walked(path: Path, exclude: tuple[str, ...] = ()) -> Walker:
    walker = Walker(exclude)
    walker.add(str(path))
    return walker


def test_a_file_is_one_entry_and_no_unit(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"abc")
    walker = walked(tmp_path / "a.bin")
    assert [(e.name, e.size) for e in walker.entries] == [("a.bin", 3)]
    assert walker.units == []


def test_a_directory_is_a_unit_with_its_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.bin").write_bytes(b"b")
    (tmp_path / "a.bin").write_bytes(b"a")
    walker = walked(tmp_path)
    assert [e.uri for e in walker.entries] == [f"{tmp_path}/a.bin", f"{tmp_path}/sub/b.bin"]
    assert set(walker.units[0].files) == {"a.bin", "sub/b.bin"}


def test_marked_directories_are_units_of_their_own(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "weights").mkdir(parents=True)
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "weights" / "w.bin").write_bytes(b"w")
    units = {unit.uri: set(unit.files) for unit in walked(tmp_path).units}
    assert units[f"{tmp_path}/one"] == {"config.json", "weights/w.bin"}
    assert units[str(tmp_path)] == set()


def test_a_marked_root_keeps_its_subfolders(tmp_path: Path) -> None:
    """A diffusers repository has a config.json in each subfolder and is one thing."""
    (tmp_path / "model_index.json").write_text("{}")
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "config.json").write_text("{}")
    assert [set(unit.files) for unit in walked(tmp_path).units] == [{"model_index.json", "unet/config.json"}]


def test_file_links_are_read_and_recorded(tmp_path: Path) -> None:
    """A Hugging Face cache: snapshots are links into blobs."""
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "abc").write_bytes(b"x")
    (tmp_path / "snapshots" / "main").mkdir(parents=True)
    (tmp_path / "snapshots" / "main" / "model.bin").symlink_to("../../blobs/abc")
    walker = walked(tmp_path)
    assert {e.name for e in walker.entries} == {"abc", "model.bin"}
    assert walker.units[0].links == {"snapshots/main/model.bin": "../../blobs/abc"}


def test_a_directory_loop_ends(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "f").write_bytes(b"1")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    walker = walked(tmp_path)
    assert [e.name for e in walker.entries] == ["f"]
    assert walker.gaps == []


def test_a_linked_directory_outside_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "inside" / "out").symlink_to(tmp_path / "outside")
    assert [g.reason for g in walked(tmp_path / "inside").gaps] == [GapReason.NOT_REQUESTED]


def test_a_dangling_link_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "gone").symlink_to("nowhere")
    assert [g.reason for g in walked(tmp_path).gaps] == [GapReason.ABSENT]


def test_special_files_are_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "sock"))
        notes = sorted(gap.note for gap in walked(tmp_path).gaps)
    assert notes == ["is a named pipe, which is never read", "is a socket, which is never read"]


def test_a_device_is_a_gap() -> None:
    assert [g.note for g in walked(Path("/dev/zero")).gaps] == ["is a character device, which is never read"]


def test_what_is_excluded_is_counted(tmp_path: Path) -> None:
    for name in ("keep.bin", "drop.log"):
        (tmp_path / name).write_bytes(b"1")
    walker = walked(tmp_path, exclude=("*.log",))
    assert [e.name for e in walker.entries] == ["keep.bin"]
    assert walker.excluded == 1


@pytest.mark.parametrize("depth", [1, 300])
def test_deep_trees(tmp_path: Path, depth: int) -> None:
    here = os.getcwd()
    os.chdir(tmp_path)
    try:
        for _ in range(depth):
            os.mkdir("d")
            os.chdir("d")
        Path("leaf").write_bytes(b"1")
    finally:
        os.chdir(here)
    assert [e.name for e in walked(tmp_path).entries] == ["leaf"]


def test_names_that_are_no_text(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.pkl")).write_bytes(b"1")
    assert walked(tmp_path).entries[0].name == "\udcff\udcfe.pkl"
