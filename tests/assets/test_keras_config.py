"""Keras configurations: every object they would build, and the code they carry."""

import base64
import contextlib
import json
import marshal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.assets.keras.config import is_keras, read
from hauberk.assets.keras.names import Place, place_of, tensor_symbol_is_plain
from hauberk.core import Asset, Fact, Gap

CODE = base64.b64encode(marshal.dumps(compile("lambda x: __import__('os').system('id')", "m", "eval").co_consts[0])).decode()


def model(*layers: Any) -> dict[str, Any]:
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": list(layers)}}


def layer(name: str, module: str = "keras.layers", **config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def items(obj: Any) -> list[Fact | Asset | Gap]:
    data = obj if isinstance(obj, bytes) else json.dumps(obj).encode()
    return list(read(Asset("config.json", format="keras_config", name="config.json", content=BytesContent(data)), Budget()))


def checks(obj: Any) -> list[str]:
    return [item.check for item in items(obj) if isinstance(item, Fact)]


def members(obj: Any) -> list[Asset]:
    return [item for item in items(obj) if isinstance(item, Asset)]


@pytest.mark.parametrize(
    "code",
    [
        {"function": {"class_name": "__lambda__", "config": {"code": CODE, "defaults": None, "closure": None}}},
        {"function": [CODE, None, None]},
        {"function": {"class_name": "__tuple__", "items": [CODE, None, None]}},
        {"function": [CODE[:20] + "\n!~" + CODE[20:], None, None]},  # the decoder passes over what is not base64
        {"output_shape": [CODE, None, None]},
    ],
)
def test_cve_2024_3660_lambda_code_is_handed_on(code: dict[str, Any]) -> None:
    obj = model(layer("TimeDistributed", layer=layer("Lambda", **code)))
    assert "keras.lambda" in checks(obj)
    assert [member.format for member in members(obj)] == ["marshal"]


@pytest.mark.parametrize("place", ["activation", "loss", "kernel_initializer"])
def test_lambda_in_any_place(place: str) -> None:
    value = {"class_name": "__lambda__", "config": {"code": CODE, "defaults": None, "closure": None}}
    assert [member.format for member in members(model(layer("Dense", units=1, **{place: value})))] == ["marshal"]
    assert [member.format for member in members({**model(), "compile_config": {place: value}})] == ["marshal"]


def test_source_text_in_a_lambda_is_read_as_python() -> None:
    for text in ("lambda x: eval('1')", base64.b64encode(b"lambda x: x * 2").decode()):
        assert [member.format for member in members(model(layer("Lambda", function=[text, None, None])))] == ["python"]
    assert [member.format for member in members(model(layer("Lambda", function="lambda x: eval('1')")))] == ["python"]


def test_code_that_cannot_be_read_is_a_gap() -> None:
    text = base64.b64encode(bytes(range(128, 228))).decode()
    assert [item for item in items(model(layer("Lambda", function=[text, None, None]))) if isinstance(item, Gap)]


@pytest.mark.parametrize("node", [
    {"module": "os", "class_name": "system", "config": {"name": "x"}},
    {"module": "posix", "class_name": "function", "config": "system"},
    {"module": "builtins", "class_name": "function", "config": "exec", "registered_name": "function"},
    {"module": "keras.src.layers", "class_name": "os.system", "config": {}},
    {"module": "evil.module", "class_name": "Add", "registered_name": "Add", "config": {}},
    {"class_name": "os.system", "config": {}},
])  # fmt: skip
def test_cve_2025_1550_imports(node: dict[str, Any]) -> None:
    assert checks(node) == ["keras.reference"]
    assert "keras.reference" in checks(model(layer("Dense", units=1, activation=node)))


@pytest.mark.parametrize(("module", "name"), [
    ("keras.utils", "get_file"), ("keras.src.utils.file_utils", "get_file"), ("keras.config", "enable_unsafe_deserialization"),
    ("keras.src.utils.python_utils", "func_load"), ("keras.saving", "load_model"), ("keras._tf_keras.keras.utils", "get_file"),
    ("keras.src.losses.losses", "deserialize_keras_object"), ("tensorflow.keras.utils", "get_file"),
    ("tf_keras.src.saving.saving_api", "load_model"),
])  # fmt: skip
def test_cve_2025_8747_and_9906_gadgets(module: str, name: str) -> None:
    assert place_of(module, name, function=True) is Place.GADGET
    assert "keras.gadget" in checks(model({"module": module, "class_name": name, "config": {}}))
    assert "keras.gadget" in checks(model(layer("Lambda", function={"module": module, "class_name": "function", "config": name})))


@pytest.mark.parametrize(("module", "name", "function"), [
    ("keras.layers", "Dense", 0), ("keras.src.models.functional", "Functional", 0),
    ("tf_keras.src.engine.functional", "Functional", 0),
    ("keras.src.ops.numpy", "Sum", 0), ("keras.activations", "relu", 1), ("keras", "DTypePolicy", 0), ("", "Dense", 0),
    ("tensorflow.keras.layers", "Dense", 0), ("keras.src.losses.losses", "mean_squared_error", 1),
    ("keras_hub.src.models.bert", "BertBackbone", 0),
])  # fmt: skip
def test_keras_own_objects_are_data(module: str, name: str, function: int) -> None:
    assert place_of(module, name, function=bool(function)) is Place.DATA


@pytest.mark.parametrize("name", ["__import__", "os.system", "_x", "__builtins__"])
def test_private_names_under_keras_are_not(name: str) -> None:
    assert place_of("keras.layers", name, function=True) is not Place.DATA


@pytest.mark.parametrize(
    "symbol", ["io.read_file", "raw_ops.ReadFile", "py_function", "compat.v1.py_func", "load_op_library", "saved_model.load"]
)
def test_operation_layers_that_reach_out(symbol: str) -> None:
    assert not tensor_symbol_is_plain(symbol)
    assert "keras.reference" in checks(model(layer("TFOpLambda", function=symbol)))


def test_operation_layers_of_arithmetic() -> None:
    symbols = ("math.multiply", "expand_dims", "nn.relu", "__operators__.add")
    assert "keras.reference" not in checks(model(*(layer("TFOpLambda", function=symbol) for symbol in symbols)))


@pytest.mark.parametrize(("path", "reach"), [
    ("/etc/passwd", "absolute"), ("file:///etc/passwd", "url"), ("https://a.invalid/v", "url"), ("../../x", "parent"),
    ("vocab.txt", "relative"),
    ("C:\\x", "absolute"), ("~/.ssh/id_rsa", "home"),
])  # fmt: skip
def test_cve_2025_12058_vocabulary_paths(path: str, reach: str) -> None:
    (fact,) = (item for item in items(model(layer("StringLookup", vocabulary=path))) if isinstance(item, Fact))
    assert (fact.check, fact.attrs["reach"]) == ("keras.file-path", reach)


def test_cve_2025_49655_torch_modules_are_handed_on() -> None:
    stream = base64.b64encode(b"\x80\x04\x8c\x02os\x8c\x06system\x93.").decode()
    for value in (stream, {"class_name": "__torch_module__", "config": stream}):
        (member,) = members(model({"class_name": "TorchModuleWrapper", "config": {"module": value}}))
        assert member.content is not None
        assert member.content.read().startswith(b"\x80\x04")


def test_cve_2026_1462_savedmodel_layers() -> None:
    assert checks(model(layer("TFSMLayer", "keras.src.export.tfsm_layer", filepath="/tmp/x"))) == ["keras.wrapper"]


@pytest.mark.parametrize(
    "config", [{"units": 10**12}, {"units": -1}, {"units": 10**400}, {"batch_shape": [None, 10**6, 10**6]}, {"units": float("inf")}]
)
def test_cve_2026_0897_shapes(config: dict[str, Any]) -> None:
    assert checks(model(layer("Dense", **config))) == ["keras.shape-bomb"]


def test_prose_is_no_configuration() -> None:
    notes = "see keras.config.enable_unsafe_deserialization and os.system; get_file"
    assert checks({"class_name": "Model", "config": {"notes": notes, "description": "get_file", "name": "get_file"}}) == []


def test_ordinary_lists_of_words_are_no_code() -> None:
    assert items({**model(), "compile_config": {"loss": ["mse", "mae"], "metrics": [["accuracy", "AUC"]], "function": "mse"}}) == []


def test_a_hundred_thousand_levels() -> None:
    with pytest.raises(ReadError) as caught:
        items(b'{"a":' * 100_000 + b"1" + b"}" * 100_000)
    assert caught.value.check == "json.too-deep"


def test_is_keras() -> None:
    assert is_keras(model())
    assert is_keras({"model_config": model()})
    assert not is_keras({"architectures": ["BertModel"], "class_name": "x"})
    assert not is_keras([1, "a", None])


_KEYS = ["class_name", "module", "config", "function", "code", "items", "vocabulary", "units", "registered_name", "a"]
_leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_values = st.recursive(
    _leaves | st.sampled_from([CODE, "os.system", "get_file", "/x"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=5),
    max_leaves=25,
)


@given(_values)
@settings(max_examples=200, deadline=None)
def test_any_configuration(value: Any) -> None:
    assert len(items(value)) < 5_000


@given(st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_bytes(data: bytes) -> None:
    with contextlib.suppress(ReadError):
        items(data)
