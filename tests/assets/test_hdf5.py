"""HDF5: files made by h5py with the oldest and the newest file format, told apart by what leaves them."""

import base64
import contextlib
import json
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.assets.identify import identify
from hauberk.assets.keras.hdf5 import read
from hauberk.assets.keras.hdf5_file import Hdf5File
from hauberk.assets.keras.hdf5_group import links_of
from hauberk.assets.keras.hdf5_values import attributes_of
from hauberk.core import Asset, Fact, Gap

SAMPLES = {
    name: zlib.decompress(base64.b64decode(text))
    for name, text in json.loads((Path(__file__).parent / "hdf5_samples.json").read_text("utf-8")).items()
}
VERSIONS = ["earliest", "latest"]


def items(data: bytes) -> list[Fact | Asset | Gap]:
    return list(read(Asset("m.h5", format="hdf5", name="m.h5", content=BytesContent(data)), Budget()))


def checks(data: bytes) -> list[str]:
    return [item.check for item in items(data) if isinstance(item, Fact)]


def links(data: bytes) -> set[tuple[str, str]]:
    file = Hdf5File(BytesContent(data), Budget())
    stack, found, seen = [("", file.root)], set(), set()
    while stack:
        name, address = stack.pop()
        seen.add(address)
        for message in file.messages(address):
            if message.kind in {0x02, 0x06, 0x11}:
                for link in links_of(file, message):
                    found.add((f"{name}/{link.name}", link.kind))
                    if link.kind == "hard" and link.address not in seen:
                        stack.append((f"{name}/{link.name}", link.address))
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_is_recognised_and_read_to_its_end(name: str) -> None:
    assert identify(BytesContent(SAMPLES[name]), "weights") == ("hdf5",)
    assert not [item for item in items(SAMPLES[name]) if isinstance(item, Gap)]


@pytest.mark.parametrize("name", ["basic-earliest", "basic-latest", "userblock-earliest", "userblock-latest"])
def test_every_link_and_the_configuration(name: str) -> None:
    assert links(SAMPLES[name]) == {
        ("/model_weights", "hard"), ("/model_weights/dense", "hard"), ("/model_weights/dense/kernel", "hard"),
        ("/soft", "soft"), ("/z", "hard"),
    }  # fmt: skip
    (member,) = (item for item in items(SAMPLES[name]) if isinstance(item, Asset))
    assert member.format == "keras_config"
    assert member.content is not None
    assert json.loads(member.content.read())["class_name"] == "Sequential"
    assert checks(SAMPLES[name]) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_dense_storage_of_links_and_attributes(version: str) -> None:
    data = SAMPLES[f"dense-{version}"]
    assert {name for name, _ in links(data)} == {"/g", "/out", *(f"/g/member{i}" for i in range(40))}
    file = Hdf5File(BytesContent(data), Budget())
    found = {a.name: a.texts for m in file.messages(file.root) if m.kind in {0x0C, 0x15} for a in attributes_of(file, m)}
    assert {f"a{i}": (f"v{i}",) for i in range(40)}.items() <= found.items()
    assert any(isinstance(item, Asset) and item.name == "model_config" for item in items(data))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("sample", "how", "quoted"),
    [
        ("ext", "external storage", "/etc/passwd"),
        ("link", "external link", "../../s.h5:/x"),
        ("vds", "virtual dataset", "/etc/far.h5"),
    ],
)
def test_cve_2026_1669_data_from_outside(version: str, sample: str, how: str, quoted: str) -> None:
    (fact,) = (item for item in items(SAMPLES[f"{sample}-{version}"]) if isinstance(item, Fact))
    assert fact.check == "hdf5.leaves-file"
    assert fact.quote == f"{how} {quoted}"
    assert fact.attrs["keras"] is True


@pytest.mark.parametrize("version", VERSIONS)
def test_cve_2026_0897_declared_terabytes(version: str) -> None:
    assert checks(SAMPLES[f"bomb-{version}"]) == ["hdf5.shape-bomb"]


@pytest.mark.parametrize("name", [f"{kind}-{version}" for kind in ("plain", "vdsself", "loop") for version in VERSIONS])
def test_ordinary_files_say_nothing(name: str) -> None:
    assert items(SAMPLES[name]) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_cut_short(version: str) -> None:
    data = SAMPLES[f"basic-{version}"]
    with contextlib.suppress(ReadError):
        assert [item for item in items(data[: len(data) // 2]) if isinstance(item, Gap)]


def test_an_object_header_that_continues_in_itself() -> None:
    data = bytearray(SAMPLES["basic-earliest"])
    root = int.from_bytes(data[64:72], "little")
    assert data[root] == 1
    data[root + 16 : root + 40] = (
        b"\x10\x00\x10\x00\x00\x00\x00\x00" + (root + 16).to_bytes(8, "little") + (24).to_bytes(8, "little")
    )
    data[root + 8 : root + 12] = (24).to_bytes(4, "little")
    assert "hdf5.cycle" in checks(bytes(data))


def told(data: bytes) -> None:
    with contextlib.suppress(ReadError):
        assert len(items(data)) < 10_000


@given(st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_bytes(data: bytes) -> None:
    told(b"\x89HDF\r\n\x1a\n" + data)
    told(data)


@given(st.sampled_from(sorted(SAMPLES)), st.data())
@settings(max_examples=250, deadline=None)
def test_any_mutation(name: str, draw: st.DataObject) -> None:
    data = bytearray(SAMPLES[name])
    for _ in range(draw.draw(st.integers(1, 6))):
        at = draw.draw(st.integers(0, len(data) - 9))
        piece = draw.draw(
            st.sampled_from([b"\xff" * 8, b"\x00" * 8, b"\x7f", b"\x10", (96).to_bytes(8, "little")])
            | st.binary(min_size=1, max_size=8)
        )
        data[at : at + len(piece)] = piece
    told(bytes(data))
