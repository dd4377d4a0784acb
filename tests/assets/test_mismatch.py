"""What a suffix promises, against what the content is."""

import pytest

from hauberk.assets.content import BytesContent
from hauberk.assets.native.mismatch import check, expects_data
from hauberk.core import Asset

PICKLE = b"\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00}."


def sorts(data: bytes, name: str, *formats: str) -> list[object]:
    return [fact.attrs["sort"] for fact in check(Asset(uri=name, name=name, content=BytesContent(data)), formats)]


@pytest.mark.parametrize("suffix", ["pt", "bin", "h5", "safetensors", "onnx", "gguf", "pkl", "keras", "npy"])
@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"#!/bin/bash\nid\n", "script"), (b"#!/usr/bin/env python3\nimport os\n", "python"), (b" <HTML><script>x</script>", "html")],
)
def test_scripts_and_pages_named_like_models(suffix: str, data: bytes, kind: str) -> None:
    assert sorts(data, f"m.{suffix}", kind) == ["script"]


def test_a_script_is_seen_even_where_the_suffix_misled_the_recognition() -> None:
    assert sorts(b"#!/bin/bash\nid\n", "m.safetensors", "safetensors") == ["script"]


@pytest.mark.parametrize("name", ["m.pt", "m.bin", "m.pkl"])
def test_archives_no_loader_opens(name: str) -> None:
    assert sorts(b"7z\xbc\xaf\x27\x1c", name, "7z") == ["archive"]


@pytest.mark.parametrize("suffix", ["safetensors", "gguf", "onnx", "h5"])
def test_object_streams_where_loaders_never_unpickle(suffix: str) -> None:
    assert sorts(PICKLE, f"m.{suffix}", "pickle") == ["container"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("m.bin", "pickle"), ("m.pt", "zip"), ("m.pth", "pickle"), ("m.ckpt", "tar"), ("m.model", "zip"), ("m.joblib", "zlib"),
        ("m.pkl", "gzip"), ("m.keras", "hdf5"), ("m.bin", "text"), ("m.onnx", "unknown"), ("m.onnx", "lfs"),
        ("notes.txt", "python"),
        ("run.sh", "script"), ("m.bin", "json"), ("m.pb", "text"), ("m", "script"), ("m.pt", "elf"),
    ],
)  # fmt: skip
def test_ordinary_names_are_quiet(name: str, kind: str) -> None:
    assert sorts(b"whatever it is", name, kind) == []


def test_the_test_virus_is_named_under_any_name() -> None:
    body = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    assert sorts(body, "m.onnx", "text") == ["test"]
    assert sorts(body, "notes", "text") == ["test"]


def test_which_suffixes_are_data() -> None:
    assert expects_data("pt")
    assert expects_data("png")
    assert not expects_data("so")
    assert not expects_data("")
