"""Marshalled Python: the same source compiled by nine Pythons, and what each reader must say of it."""

import base64
import contextlib
import json
import marshal
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.assets.identify import identify
from hauberk.assets.source.marshalled import read
from hauberk.core import Asset, Fact, Gap

# A module that imports os, subprocess as sp and system from os, and uses them in functions.
SAMPLES = {
    version: zlib.decompress(base64.b64decode(text))
    for version, text in json.loads((Path(__file__).parent / "marshal_samples.json").read_text("utf-8")).items()
}


def items(data: bytes) -> list[Fact | Asset | Gap]:
    return list(read(Asset("m", format="marshal", name="m", content=BytesContent(data)), Budget()))


def paths(data: bytes) -> set[str]:
    return {item.quote for item in items(data) if isinstance(item, Fact) and item.check == "bytecode.reference"}


def escapes(data: bytes) -> set[object]:
    return {item.attrs["name"] for item in items(data) if isinstance(item, Fact) and item.check == "bytecode.escape"}


@pytest.mark.parametrize("version", SAMPLES)
def test_names_are_followed_in_every_version(version: str) -> None:
    data = SAMPLES[version]
    assert {"os.system('id')", "subprocess.call('a')", "eval('1')", "__import__('os')", "open('/etc/passwd')"} <= paths(data)
    assert {"__base__", "__subclasses__"} <= escapes(data)
    assert not [item for item in items(data) if isinstance(item, Gap)]


@pytest.mark.parametrize("version", SAMPLES)
def test_bare_code_is_recognised(version: str) -> None:
    assert "marshal" in identify(BytesContent(SAMPLES[version]), "blob")


@pytest.mark.parametrize(
    ("magic", "head", "version"),
    [(62211, 8, "2.7.18"), (3379, 12, "3.6.15"), (3394, 16, "3.7.16"), (3495, 16, "3.11.7"), (3531, 16, "3.12.1")],
)
def test_pyc_header(magic: int, head: int, version: str) -> None:
    data = (magic.to_bytes(2, "little") + b"\r\n").ljust(head, b"\0") + SAMPLES[version]
    assert identify(BytesContent(data), "m.pyc") == ("marshal",)
    assert {item.attrs["container"] for item in items(data) if isinstance(item, Fact)} == {"pyc"}
    assert "os.system('id')" in paths(data)


def test_scaling_names_nothing() -> None:
    code = compile("lambda x: x / 255.0", "m", "eval").co_consts[0]
    assert paths(marshal.dumps(code)) == set()


def test_tensor_functions_are_data() -> None:
    code = compile("lambda x: tf.nn.relu(x) + K.abs(x)", "m", "eval").co_consts[0]
    facts = [item for item in items(marshal.dumps(code)) if isinstance(item, Fact) and item.check == "bytecode.reference"]
    assert {fact.attrs.get("capability") for fact in facts} == {"data"}


@pytest.mark.parametrize(
    "source", ["tf.io.read_file(x)", "np.load(x)", "tf.py_function(f, x)", "np.lib.npyio.os.system(x)", "K.os.system(x)"]
)
def test_tensor_libraries_do_not_hide_what_reaches_out(source: str) -> None:
    code = compile(f"lambda x: {source}", "m", "eval").co_consts[0]
    facts = [item for item in items(marshal.dumps(code)) if isinstance(item, Fact) and item.check == "bytecode.reference"]
    assert any("capability" not in fact.attrs for fact in facts)


def test_plain_data_has_no_code() -> None:
    assert items(marshal.dumps({"weights": [1.5, 2, 3], "words": {"os.system": (1, None)}, 3: frozenset({b"x"})})) == []


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(ReadError) as caught:
        items(b"(\x01\x00\x00\x00" * 100_000)
    assert caught.value.check == "bytecode.too-deep"


def test_references_do_not_multiply() -> None:
    data = b"(\x02\x00\x00\x00" + b"\xa8\x01\x00\x00\x00Nr\x00\x00\x00\x00"
    assert items(data) == []


def told(data: bytes) -> None:
    with contextlib.suppress(ReadError):
        assert len(items(data)) < 10_000


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes(data: bytes) -> None:
    told(data)
    told(b"\xe3" + data)


@given(st.sampled_from(sorted(SAMPLES)), st.data())
@settings(max_examples=200, deadline=None)
def test_any_mutation(version: str, draw: st.DataObject) -> None:
    data = bytearray(SAMPLES[version])
    for _ in range(draw.draw(st.integers(1, 5))):
        at = draw.draw(st.integers(0, len(data) - 1))
        data[at : at + 1] = draw.draw(st.binary(min_size=0, max_size=4))
        data = data or bytearray(b"N")
    told(bytes(data))
