"""The formats before GGUF, built field by field."""

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.assets.identify import identify
from hauberk.assets.tensors.ggml import read
from hauberk.core import Asset, Fact, Gap

LLAMA = (2, 8, 4, 2, 1, 4, 0)


def tensor(name: bytes = b"w", dims: tuple[int, ...] = (8,), kind: int = 0, *, at: int = 0, align: int = 1) -> bytes:
    head = struct.pack("<iii", len(dims), len(name), kind) + struct.pack(f"<{len(dims)}i", *dims) + name
    head += bytes(-(at + len(head)) % align)
    size = 4
    for dim in dims:
        size *= max(0, dim)
    return head + bytes(min(size, 4096))


def ggml(hparams: tuple[int, ...] = LLAMA, tensors: bytes | None = None) -> bytes:
    vocabulary = b"".join(struct.pack("<I", 1) + t for t in (b"a", b"b"))
    return b"lmgg" + struct.pack(f"<{len(hparams)}i", *hparams) + vocabulary + (tensor() if tensors is None else tensors)


def ggjt(version: int = 3, name: bytes = b"w") -> bytes:
    head = b"tjgg" + struct.pack("<I7i", version, *LLAMA)
    head += b"".join(struct.pack("<I", 1) + t + struct.pack("<f", 0.0) for t in (b"a", b"b"))
    return head + tensor(name, at=len(head), align=32)


def whisper() -> bytes:
    head = b"lmgg" + struct.pack("<11i", 2, 1500, 384, 6, 4, 448, 384, 6, 4, 80, 1)
    head += struct.pack("<ii", 2, 3) + bytes(24) + struct.pack("<i", 2)
    return head + b"".join(struct.pack("<I", 1) + t for t in (b"a", b"b")) + tensor()


def ggla(rank: int = 8) -> bytes:
    head = b"algg" + struct.pack("<Iii", 1, rank, 16)
    return head + tensor(b"l.loraA", at=len(head), align=32)


def checks(data: bytes) -> set[str]:
    found: set[str] = set()
    try:
        for item in read(Asset("m.bin", format="ggml", content=BytesContent(data)), Budget()):
            if isinstance(item, Fact):
                found.add(item.check)
            elif isinstance(item, Gap):
                found.add(f"gap:{item.reason}")
    except ReadError as error:
        found.add(error.check)
    return found - {""}


@pytest.mark.parametrize("data", [ggml(), ggjt(1), ggjt(2), ggjt(3), whisper(), ggla()])
def test_good_files_are_quiet(data: bytes) -> None:
    assert checks(data) == set()


FLAWS = {
    "hyperparameters of -1": (ggml((-1,) * 7), "ggml.hparam"),
    "no layers": (ggml((2, 8, 4, 2, 0, 4, 0)), "ggml.hparam"),
    "2^24 + 1 tokens": (ggml(((1 << 24) + 1, 8, 4, 2, 1, 4, 0)), "ggml.hparam"),
    "more tokens than bytes": (ggml((1 << 20, 8, 4, 2, 1, 4, 0)), "ggml.length"),
    "version 99": (ggjt(99), "ggml.version"),
    "token of 4 GiB": (ggml()[:32] + b"\xff" * 4 + ggml()[36:], "ggml.length"),
    "five dimensions": (ggml(tensors=tensor(dims=(1,) * 5)), "ggml.tensor"),
    "dimension of -1": (ggml(tensors=tensor(dims=(-1,))), "ggml.tensor"),
    "row of half a block": (ggml(tensors=tensor(dims=(33,), kind=2)), "ggml.tensor"),
    "tensor longer than the file": (ggml(tensors=tensor(dims=(1 << 20, 1 << 10))), "ggml.length"),
    "name that is a path": (ggjt(name=b"../../x"), "ggml.tensor"),
    "name twice": (ggml(tensors=tensor() + tensor()), "ggml.tensor"),
    "adapter of rank -1": (ggla(-1), "ggml.hparam"),
    "program behind the tensors": (ggml() + b"\x7fELF\x02\x01\x01" + bytes(60), "ggml.trailing-payload"),
    "another program's layout": (ggml((2, 8, 4, 2, 1, 0, 0)), "gap:unsupported"),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_flaw(flaw: str) -> None:
    data, wanted = FLAWS[flaw]
    assert wanted in checks(data)


def test_identify_knows_both_byte_orders_but_no_prose() -> None:
    assert identify(BytesContent(ggml()), "x") == ("ggml",)
    assert identify(BytesContent(b"ggjtc\0\0\0" + b"\xff" * 60), "x") == ("ggml",)
    assert identify(BytesContent(b"ggml is a tensor library\n"), "x") == ("text",)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([ggml(), ggjt(), whisper(), ggla()]), st.data())
def test_mutations_raise_nothing_else(good: bytes, data: st.DataObject) -> None:
    broken = bytearray(good)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(broken) - 1))
        broken[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ReadError):
        list(read(Asset("m.bin", content=BytesContent(bytes(broken))), Budget()))
