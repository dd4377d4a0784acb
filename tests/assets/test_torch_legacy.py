"""PyTorch's legacy files: five streams and storages that fit."""

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.assets.identify import identify
from hauberk.assets.pickle.torch_legacy import read
from hauberk.core import Asset, Fact, Gap

MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
SYSTEM = b"cos\nsystem\n(X\x02\x00\x00\x00idtR"


def legacy(*, obj: bytes = b"", keys: tuple[str, ...] = ("7",), storages: bytes | None = None) -> bytes:
    storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x007X\x03\x00\x00\x00cpuK\x04NtQ"
    named = b"".join(b"X" + struct.pack("<I", len(key)) + key.encode() + b"a" for key in keys)
    tail = struct.pack("<Q", 4) + bytes(16) if storages is None else storages
    return MAGIC + b"\x80\x02M\xe9\x03." + b"\x80\x02}." + b"\x80\x02" + obj + storage + b"." + b"\x80\x02]" + named + b"." + tail


def items_of(data: bytes) -> list[Fact | Asset | Gap]:
    return list(read(Asset(uri="x.pt", name="x.pt", content=BytesContent(data)), Budget()))


def checks(data: bytes) -> set[str]:
    return {item.check for item in items_of(data) if isinstance(item, Fact)}


def test_is_recognised_and_whole() -> None:
    assert identify(BytesContent(legacy()), "x.pt") == ("torch_legacy",)
    assert checks(legacy()) == {"pickle.call"}


def test_payload_in_the_object_stream() -> None:
    calls = {str(item.attrs.get("name")) for item in items_of(legacy(obj=SYSTEM + b"0")) if isinstance(item, Fact)}
    assert "system" in calls


def test_storage_beyond_the_end() -> None:
    with pytest.raises(ReadError) as caught:
        items_of(legacy(storages=struct.pack("<Q", 1 << 60) + bytes(16)))
    assert caught.value.check == "torch.storage-bounds"


def test_storage_not_listed() -> None:
    assert "torch.storage-keys" in checks(legacy(keys=(), storages=b""))


def test_bytes_behind_the_storages() -> None:
    assert "pickle.trailing-data" in checks(legacy() + b"\x7fELF")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), max_size=8), st.integers(0, 300))
def test_mutations_raise_only_read_errors(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(legacy())
    for place, value in changes:
        data[place % len(data)] = value
    with contextlib.suppress(ReadError):
        assert len(items_of(bytes(data[: cut or None]))) < 200
