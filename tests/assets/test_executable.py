"""Programs are named for what they are; data that begins like one is not."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.native.executable import read
from hauberk.core import Asset, Fact, Gap, GapReason

ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00\xb7\x00" + bytes(44)
PE = (
    b"MZ"
    + bytes(58)
    + struct.pack("<I", 64)
    + b"PE\0\0"
    + struct.pack("<H", 0x8664)
    + bytes(16)
    + struct.pack("<H", 0x2022)
    + bytes(40)
)
MACHO = b"\xcf\xfa\xed\xfe" + struct.pack("<III", 0x0100000C, 0, 2) + bytes(48)


def items(data: bytes, kind: str, name: str) -> list[Fact | Gap]:
    return list(read(Asset(uri=name, name=name, format=kind, content=BytesContent(data)), Budget()))


def fact(data: bytes, kind: str, name: str) -> Fact:
    return next(item for item in items(data, kind, name) if isinstance(item, Fact))


@pytest.mark.parametrize(
    ("data", "kind", "machine", "note"),
    [
        (ELF, "elf", "AArch64", "elf library or program for AArch64"),
        (PE, "pe", "x86-64", "pe library for x86-64"),
        (MACHO, "macho", "AArch64", "macho program for AArch64"),
        (b"\x00asm\x01\0\0\0", "wasm", "", "wasm module for any machine"),
    ],
)
def test_says_what_it_is(data: bytes, kind: str, machine: str, note: str) -> None:
    found = fact(data, kind, "tool")
    assert (found.attrs["machine"], found.note) == (machine, note)


@pytest.mark.parametrize(
    "name", ["model.pt", "a/weights.bin", "x.safetensors", "x.h5", "x.onnx", "x.gguf", "logo.png", "README.md"]
)
def test_a_program_named_like_data_is_disguised(name: str) -> None:
    assert fact(ELF, "elf", name).attrs["honest"] is False


@pytest.mark.parametrize("name", ["libx.so", "libx.so.1.2", "tool.exe", "x.dll", "tool", "ext.pyd", "tool-v1.2"])
def test_a_program_named_like_one_is_honest(name: str) -> None:
    assert fact(ELF, "elf", name).attrs["honest"] is True


@pytest.mark.parametrize("magic", [b"MZqFpD='\n", b"jartsr='\n", b"APEDBG='\n"])
def test_portable_executables_are_llamafiles(magic: bytes) -> None:
    assert fact(magic + bytes(100), "pe", "model.llamafile").attrs["llamafile"] is True


def test_data_that_begins_with_mz_is_no_program() -> None:
    found = items(b"MZ" + b"\x3f\x80\x12\x0f" * 400, "pe", "weights.bin")
    assert [item.reason for item in found if isinstance(item, Gap)] == [GapReason.UNRECOGNISED]
    assert not any(isinstance(item, Fact) for item in found)


def test_machine_code_is_a_gap_and_never_clean() -> None:
    assert [item.reason for item in items(ELF, "elf", "libx.so") if isinstance(item, Gap)] == [GapReason.UNSUPPORTED]


@given(st.sampled_from(["elf", "pe", "macho", "wasm", "java"]), st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_bytes(kind: str, data: bytes) -> None:
    assert 1 <= len(items(data, kind, "x")) <= 2


def test_a_header_no_system_would_start_is_no_program_unless_it_poses_as_data() -> None:
    assert [type(item) for item in items(b"\x7fELF" + b" is how these begin" * 5, "elf", "notes")] == [Gap]
    assert fact(b"\x7fELF" + bytes(60), "elf", "model.pt").attrs["honest"] is False
