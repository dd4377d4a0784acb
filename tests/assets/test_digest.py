"""One pass, two hashes: the whole file as sha256sum has it, and a Merkle tree that names what changed."""

import hashlib
import io
import json
import struct
import zipfile

import blake3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.assets.content import BytesContent
from hauberk.assets.tensors import digest as digest_module
from hauberk.assets.tensors.digest import Change, Leaf, compare, digest_file, merkle_root
from hauberk.assets.tensors.tensor_map import spans
from hauberk.assets.tensors.tensor_span import TensorSpan


def safetensors(**tensors: bytes) -> bytes:
    header, data = {}, b""
    for name, body in tensors.items():
        header[name] = {"dtype": "U8", "shape": [len(body)], "data_offsets": [len(data), len(data) + len(body)]}
        data += body
    raw = json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


def digest(data: bytes) -> digest_module.Digest:
    content = BytesContent(data)
    return digest_file(content, spans(content, "safetensors"))


def test_sha256_is_that_of_the_whole_file() -> None:
    data = safetensors(a=b"1" * 100, b=b"2" * 50)
    assert digest(data).sha256 == hashlib.sha256(data).hexdigest()


def test_a_file_without_tensors_has_no_root() -> None:
    made = digest_file(BytesContent(b"text"))
    assert (made.leaves, made.root, made.size) == ((), "", 4)


def test_leaves_cover_name_dtype_shape_and_bytes() -> None:
    base = {leaf.name: leaf.blake3 for leaf in digest(safetensors(a=b"12", b=b"34")).leaves}
    assert list(base) == ["", "a", "b"]
    assert {leaf.name: leaf.blake3 for leaf in digest(safetensors(a=b"12", c=b"34")).leaves}["a"] == base["a"]
    assert base["a"] != base["b"]


def test_it_names_the_tensor_that_changed() -> None:
    base = digest(safetensors(a=b"12", b=b"34", c=b"56")).leaves
    other = digest(safetensors(a=b"12", b=b"3x", c=b"56")).leaves
    assert compare(base, other) == [Change("b", "changed")]
    assert compare(base, digest(safetensors(a=b"12", b=b"34", d=b"56")).leaves) == [
        Change("", "changed"), Change("c", "missing"), Change("d", "added"),
    ]  # fmt: skip


def test_bytes_behind_the_tensors_are_in_the_leaf_without_a_name() -> None:
    data = safetensors(a=b"12")
    assert compare(digest(data).leaves, digest(data + b"!").leaves) == [Change("", "changed")]


def test_a_leaf_cannot_pass_for_a_node() -> None:
    left, right = (Leaf(name, "U8", (1,), blake3.blake3(name.encode()).hexdigest()) for name in "ab")
    root = merkle_root([left, right])
    assert root == blake3.blake3(b"\x01" + bytes.fromhex(left.blake3) + bytes.fromhex(right.blake3)).hexdigest()
    assert root != blake3.blake3(bytes.fromhex(left.blake3) + bytes.fromhex(right.blake3)).hexdigest()


def test_overlapping_spans_are_counted_once() -> None:
    content = BytesContent(bytes(100))
    made = digest_file(
        content, [TensorSpan("a", "U8", (), 0, 60), TensorSpan("b", "U8", (), 30, 90), TensorSpan("c", "U8", (), 60, 999)]
    )
    assert [leaf.name for leaf in made.leaves] == ["", "a"]


def test_empty_tensors_have_a_leaf() -> None:
    assert [leaf.name for leaf in digest(safetensors(a=b"", b=b"1", c=b"")).leaves] == ["", "a", "b", "c"]


def test_two_threads_say_what_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    data = safetensors(a=bytes(range(256)) * 300, b=b"xyz" * 5000, c=b"")
    alone = digest(data)
    monkeypatch.setattr(digest_module, "_ALONE", 0)
    monkeypatch.setattr(digest_module, "CHUNK", 1000)
    seen: list[int] = []
    content = BytesContent(data)
    assert digest_file(content, spans(content, "safetensors"), seen.append) == alone
    assert seen[-1] == len(data)


def test_an_error_while_reading_ends_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        size = 50_000

        def read(self, offset: int = 0, length: int = -1) -> bytes:
            if offset > 20_000:
                raise OSError("gone")
            return bytes(length)

    monkeypatch.setattr(digest_module, "_ALONE", 0)
    monkeypatch.setattr(digest_module, "CHUNK", 1000)
    with pytest.raises(OSError, match="gone"):
        digest_file(Broken())


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=12), st.integers(1, 64))
def test_any_spans_cover_the_file_once(places: list[tuple[int, int]], chunk: int) -> None:
    data = bytes(i % 251 for i in range(256))
    tree = digest_module._Tree([TensorSpan(str(n), "", (), a, b) for n, (a, b) in enumerate(places)], len(data))
    for at in range(0, len(data), chunk):
        tree.update(data[at : at + chunk])
    stretches = tree._stretches
    assert sum(end - start for start, end, _ in stretches) == len(data)
    named = [span.name for _, _, span in stretches if span]
    assert [leaf.name for leaf in tree.leaves()] == (["", *named] if named else [])


def test_storages_of_a_torch_archive_are_spans() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02N.")
        archive.writestr("archive/data/0", b"\x01\x02\x03\x04" * 8)
        archive.writestr("archive/data/1", b"\x05" * 12)
        archive.writestr("archive/version", b"3\n")
    data = file.getvalue()
    found = spans(BytesContent(data), "zip")
    assert [(s.name, data[s.start : s.end]) for s in found] == [
        ("archive/data/0", b"\x01\x02\x03\x04" * 8),
        ("archive/data/1", b"\x05" * 12),
    ]


def test_npy_is_one_span() -> None:
    import numpy as np

    file = io.BytesIO()
    np.save(file, np.arange(6, dtype="<f4"))
    data = file.getvalue()
    (span,) = spans(BytesContent(data), "npy")
    assert data[span.start : span.end] == np.arange(6, dtype="<f4").tobytes()


@pytest.mark.parametrize("format", ["safetensors", "gguf", "npy", "zip", "text"])
@given(data=st.binary(max_size=200))
def test_spans_of_anything_raise_nothing(format: str, data: bytes) -> None:  # noqa: A002
    heads = {"gguf": b"GGUF\x03\x00\x00\x00", "npy": b"\x93NUMPY\x01\x00", "zip": b"", "safetensors": b"", "text": b""}
    body = heads[format] + data + (b"PK\x05\x06" + data[:18] if format == "zip" else b"")
    for span in spans(BytesContent(body), format):
        assert 0 <= span.start <= span.end <= len(body)
