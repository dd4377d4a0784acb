"""What PyTorch would make of a zip: storages, tensors in them, packages, TorchScript."""

import io
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.containers.torch_persistent import read_uses
from hauberk.assets.containers.zip_container import read
from hauberk.assets.content import BytesContent
from hauberk.core import Asset, Fact

ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\x3e\x00" + bytes(44)
PICKLE = b"\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00}."


def text(value: bytes) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value


def ints(*values: int) -> bytes:
    return b"(" + b"".join(b"J" + struct.pack("<i", value) for value in values) + b"t"


def state(
    numbers: int, kind: bytes = b"FloatStorage", size: bytes = ints(2, 2), stride: bytes = ints(2, 1), key: bytes = b"0"
) -> bytes:
    """A state dict of one tensor as torch.save writes it in protocol 2."""
    storage = (
        b"(" + text(b"storage") + b"ctorch\n" + kind + b"\n" + text(key) + text(b"cpu") + b"J" + struct.pack("<i", numbers) + b"tQ"
    )
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x00" + size + stride + b"\x89ccollections\nOrderedDict\n)RtR"
    return b"\x80\x02}q\x00" + text(b"w") + tensor + b"s."


def make(pickle: bytes, storage: bytes = bytes(16), **more: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("m/data.pkl", pickle)
        archive.writestr("m/version", b"3\n")
        archive.writestr("m/data/0", storage)
        for name, data in more.items():
            archive.writestr(name, data)
    return out.getvalue()


def items(data: bytes) -> list[object]:
    return list(read(Asset(uri="m.pt", name="m.pt", content=BytesContent(data)), Budget()))


def checks(data: bytes) -> set[str]:
    return {item.check for item in items(data) if isinstance(item, Fact)}


def names(data: bytes) -> list[str]:
    return [item.name for item in items(data) if isinstance(item, Asset)]


def test_a_plain_checkpoint_is_quiet_and_its_storages_are_no_files() -> None:
    data = make(state(4))
    assert checks(data) == set()
    assert names(data) == ["m/data.pkl", "m/version"]


@pytest.mark.parametrize(("kind", "numbers"), [(b"ComplexDoubleStorage", 4), (b"FloatStorage", 5), (b"UntypedStorage", 17)])
def test_cve_2026_24747_storage_wider_than_its_bytes(kind: bytes, numbers: int) -> None:
    assert "torch.storage-size" in checks(make(state(numbers, kind)))


@pytest.mark.parametrize(
    ("size", "stride"),
    [(ints(2, 2), ints(-2, 1)), (ints(9, 9), ints(9, 1)), (ints(-1, 2), ints(2, 1)), (ints(2, 2), ints(2))],
)
def test_tensors_that_leave_their_storage(size: bytes, stride: bytes) -> None:
    assert "torch.tensor-bounds" in checks(make(state(4, size=size, stride=stride)))


@pytest.mark.parametrize(
    ("size", "stride"), [(ints(), ints()), (ints(0, 9), ints(9, 1)), (ints(2, 2), ints(0, 0)), (ints(4), ints(1))]
)
def test_tensors_inside_their_storage(size: bytes, stride: bytes) -> None:
    assert checks(make(state(4, size=size, stride=stride))) == set()


def test_a_tensor_rebuilt_from_numbers() -> None:
    body = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(K\x00K\x00K\x01tR0}."
    assert "torch.rebuild-arguments" in checks(make(body))


def test_a_storage_that_is_not_there() -> None:
    assert "torch.storage-absent" in checks(make(state(4, key=b"7")))


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (ELF, "elf"),
        (PICKLE, "pickle"),
        (b"#!/bin/sh\nid\n", "script"),
        (b"(S'id'\nios\nsystem\n.", "pickle"),
        (b"PK\x03\x04" + bytes(40), "zip"),
    ],
)
def test_a_payload_as_a_storage_is_inspected(payload: bytes, kind: str) -> None:
    found = items(make(state(0, size=ints(0), stride=ints(1)), payload))
    assert kind in [item.attrs.get("payload") for item in found if isinstance(item, Fact)]
    assert "m/data/0" in [item.name for item in found if isinstance(item, Asset)]


@pytest.mark.parametrize("head", [b"MZ", b"\x80\x02", b"\x1f\x8b", b"#!", b"BZh", b"\x80\x04"])
def test_numbers_that_begin_by_chance_like_something(head: bytes) -> None:
    assert checks(make(state(64), head + b"\x3f\x9a\x01\xbc" * 64)) == set()


def test_two_checkpoints_but_for_their_case() -> None:
    assert "torch.case-roots" in checks(make(state(4), **{"M/data.pkl": b"\x80\x02}.", "M/version": b"3\n"}))


def test_torchscript_source_is_read_as_such() -> None:
    data = make(state(4), **{"m/constants.pkl": b"\x80\x02).", "m/code/__torch__.py": b"class N(Module):\n  pass\n"})
    formats = {item.name: item.format for item in items(data) if isinstance(item, Asset)}
    assert formats["m/code/__torch__.py"] == "torchscript"


def test_a_package_names_what_it_takes_from_the_machine() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("p/.data/extern_modules", "torch\nsubprocess\nos.path\n")
        archive.writestr("p/.data/0.storage", bytes(16))
        archive.writestr("p/m/code.py", "x = 1\n")
    found = items(out.getvalue())
    assert [item.attrs["top"] for item in found if isinstance(item, Fact)] == ["torch", "subprocess", "os"]
    assert [item.name for item in found if isinstance(item, Asset)] == ["p/.data/extern_modules", "p/m/code.py"]


def test_an_exported_program_keeps_its_weights_out() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a/archive_format", "pt2")
        archive.writestr("a/data/weights/weight_0", bytes(32))
        archive.writestr("a/models/model.json", "{}")
    assert names(out.getvalue()) == ["a/archive_format", "a/models/model.json"]


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6))
@settings(max_examples=200, deadline=None)
def test_mutated_pickles_never_raise(changes: list[tuple[int, int]]) -> None:
    data = bytearray(state(4))
    for at, value in changes:
        data[at % len(data)] = value
    uses = read_uses(BytesContent(bytes(data)), Budget())
    assert len(uses.storages) < 100


def test_endless_duplication_ends() -> None:
    bomb = b"\x80\x02(" + b"(K\x01t\x85q\x00" + b"h\x00h\x00t(" * 5000 + b"."
    assert read_uses(BytesContent(bomb), Budget()).storages == ()


def test_compression_hides_neither_the_pickle_nor_the_package_list() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/data.pkl", state(64, b"ComplexDoubleStorage"))
        archive.writestr("m/data/0", bytes(16))
        archive.writestr("m/.data/extern_modules", "subprocess\n" * 20)
    assert {"torch.storage-size", "torch.package-extern"} <= checks(out.getvalue())
