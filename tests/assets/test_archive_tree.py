"""A model repository packed into an archive is read as a repository as well."""

import io
import tarfile
import zipfile

import pytest

from hauberk.assets.budget import Budget
from hauberk.assets.containers import tar_container, zip_container
from hauberk.assets.content import BytesContent
from hauberk.assets.tree import Tree
from hauberk.core import Asset, Gap


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def trees(data: bytes) -> list[Tree]:
    reader = zip_container if data[:2] == b"PK" else tar_container
    items = reader.read(Asset(uri="a", name="a", content=BytesContent(data)), Budget())
    return [item.content for item in items if isinstance(item, Asset) and isinstance(item.content, Tree)]


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_repository_is_seen_without_its_outer_folder(pack: object) -> None:
    assert callable(pack)
    (tree,) = trees(pack({"m/requirements.txt": b"torch\n", "m/sub/a.py": b"x = 1\n"}))
    assert sorted(tree.files) == ["requirements.txt", "sub/a.py"]
    assert tree.files["requirements.txt"].read() == b"torch\n"


@pytest.mark.parametrize(
    "files", [{"a.txt": b"x"}, {"config.json": b"{}", "metadata.json": b"{}"}, {"m/data.pkl": b"\x80\x02}.", "m/version": b"3"}]
)
def test_other_archives_are_not(files: dict[str, bytes]) -> None:
    assert trees(zipped(files)) == []


def test_a_large_one_leaves_a_gap() -> None:
    noise = bytes((n * n) % 251 for n in range(1 << 20))
    data = zipped({"requirements.txt": b"torch\n", **{f"{n}.bin": noise for n in range(40)}})
    items = list(zip_container.read(Asset(uri="a", name="a", content=BytesContent(data)), Budget()))
    assert [item.note for item in items if isinstance(item, Gap)] == ["too large to be read as one model repository as well"]
