"""NumPy files: what numpy writes is read whole, what lies is told, objects are opened."""

import contextlib
import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.assets.tensors.npy import read
from hauberk.core import Asset, Fact, Gap


def items_of(data: bytes) -> list[Fact | Asset | Gap]:
    return list(read(Asset(uri="x.npy", name="x.npy", content=BytesContent(data)), Budget()))


def saved(value: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, value, allow_pickle=True)
    return buffer.getvalue()


def npy(header: str, data: bytes = b"", version: int = 1) -> bytes:
    text = header.encode()
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text + data


ARRAYS = [
    np.zeros((2, 3)),
    np.float32(1),
    np.array([], dtype="i4"),
    np.array(["é", "bb"]),
    np.array([b"a", b"bcd"]),
    np.asfortranarray(np.ones((3, 4), dtype=">i2")),
    np.array([1 + 2j]),
    np.array([True, False]),
    np.array(["2026-01-01"], dtype="M8[D]"),
    np.zeros(3, dtype=[("a", "<f4"), ("b", "S3", (2,)), ("c", [("d", "u1")])]),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.dtype))
def test_plain_array_says_nothing(array: np.ndarray) -> None:
    assert items_of(saved(array)) == []


@pytest.mark.parametrize("array", [np.array(["a", None], dtype=object), np.zeros(2, dtype=[("a", "<f4"), ("b", "O")])])
def test_objects_are_opened(array: np.ndarray) -> None:
    (child,) = [item for item in items_of(saved(array)) if isinstance(item, Asset)]
    assert child.format == "pickle"


@pytest.mark.parametrize(
    ("data", "check"),
    [
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000,), }"), "npy.bounds"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 8), }"), "npy.bounds"),
        (npy("{'descr': __import__('os').system('id'), 'fortran_order': False, 'shape': (1,)}"), "npy.header-code"),
        (npy("[" * 5000), "npy.header"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }"), "npy.header"),
        (npy("{'descr': '<q9z', 'fortran_order': False, 'shape': (1,), }"), "npy.header"),
        (npy("{'shape': (1,)}"), "npy.header"),
        (npy("{}", version=7), "npy.header"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f", "npy.header"),
    ],
)
def test_lies_are_told(data: bytes, check: str) -> None:
    with pytest.raises(ReadError) as caught:
        items_of(data)
    assert caught.value.check == check


def test_bytes_behind_the_array_are_told() -> None:
    facts = [item for item in items_of(saved(np.zeros(2)) + b"MZ\0\0") if isinstance(item, Fact)]
    assert [fact.check for fact in facts] == ["npy.trailing-data"]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_raise_only_read_errors(data: bytes) -> None:
    with contextlib.suppress(ReadError):
        assert len(items_of(b"\x93NUMPY\x01\x00" + data)) < 9


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(ARRAYS), st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), max_size=8))
def test_mutations_raise_only_read_errors(array: np.ndarray, changes: list[tuple[int, int]]) -> None:
    data = bytearray(saved(array))
    for place, value in changes:
        data[place % len(data)] = value
    with contextlib.suppress(ReadError):
        assert len(items_of(bytes(data))) < 9
