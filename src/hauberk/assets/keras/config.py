"""Keras architectures as JSON: `config.json` of a .keras, `model_config` of an HDF5 file, `Model.to_json()`.

Every `{module, class_name, config, registered_name}` at any depth is an object Keras builds, by importing what it names.
Code in Lambda layers is handed on as a member and disassembled there, never run.
"""

import re
from collections.abc import Iterator
from typing import cast

from hauberk.assets.budget import Budget
from hauberk.assets.configs.json_bounded import parse_json
from hauberk.assets.errors import Malformed, ReadError
from hauberk.assets.keras.code import code_members
from hauberk.assets.keras.names import GADGETS, Place, place_of, tensor_symbol_is_plain
from hauberk.assets.keras.values import value_facts
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Fact, Gap, GapReason
from hauberk.core.asset import Scalar

Item = Fact | Asset | Gap
Node = dict[str, object]

_MAX_NODES = 2_000_000
# Markers of Keras' own encoding; they name no class.
_MARKERS = frozenset({
    "__tuple__", "__numpy__", "__tensor__", "__keras_tensor__", "__bytes__", "__ellipsis__", "__slice__", "__lambda__",
    "__set__", "__dtype__", "__torch_module__", "CompositeTensor", "TypeSpec", "TensorShape",
})  # fmt: skip
_TF_OPS = frozenset({"TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceMethod", "InstanceProperty"})


def read(asset: Asset, budget: Budget) -> Iterator[Item]:
    """Facts of a Keras architecture in JSON text."""
    assert asset.content is not None
    if asset.content.size > budget.limits.text:
        raise ReadError(GapReason.TOO_LARGE, f"a configuration of {asset.content.size >> 20} MiB", check="json.too-large")
    yield from facts(asset, parse_json(asset.content.read(), budget), budget)


def is_keras(obj: object) -> bool:
    """Whether a parsed JSON document is, or within its first levels holds, a Keras object."""
    level: list[object] = [obj]
    for _ in range(3):
        below: list[object] = []
        for node in level[:64]:
            if isinstance(node, dict):
                node = cast("Node", node)
                if isinstance(node.get("class_name"), str) and ("config" in node or "module" in node):
                    return True
                below.extend(node.values())
            elif isinstance(node, list):
                below.extend(cast("list[object]", node))
        level = below
    return False


def facts(asset: Asset, obj: object, budget: Budget) -> Iterator[Item]:
    """Everything a parsed Keras configuration would make Keras build. Members made from it are children of `asset`."""
    stack: list[tuple[object, str, str]] = [(obj, "$", "")]
    seen = 0
    while stack:
        node, where, key = stack.pop()
        seen += 1
        if seen > _MAX_NODES:
            raise ReadError(GapReason.TOO_LARGE, f"more than {_MAX_NODES} values")
        budget.tick()
        if isinstance(node, dict):
            node = cast("Node", node)
            yield from _object(asset, node, where, budget)
            stack.extend((value, f"{where}.{name}"[:400], name) for name, value in reversed(node.items()))
        elif isinstance(node, list):
            node = cast("list[object]", node)
            yield from code_members(asset, node, where, key, budget)
            stack.extend((value, f"{where}[{i}]"[:400], key) for i, value in reversed(list(enumerate(node))))
        elif isinstance(node, str):
            yield from _string(node, where, key)


def _object(asset: Asset, node: Node, where: str, budget: Budget) -> Iterator[Item]:
    class_name = node.get("class_name")
    if isinstance(class_name, str):
        yield from _reference(node, class_name, where)
    elif class_name is not None:
        yield Fact("keras.malformed", "class_name is no string", where=where, quote=quote(repr(class_name)))
    elif isinstance(module := node.get("module"), str):
        yield from _named_module(module, where)
    yield from code_members(asset, node, where, "", budget)
    yield from value_facts(asset, node, where)


def _reference(node: Node, class_name: str, where: str) -> Iterator[Fact]:
    module, config = node.get("module"), node.get("config")
    module = module if isinstance(module, str) else ""
    if class_name in _TF_OPS:
        yield from _tensor_symbol(node, where)
    if class_name == "Lambda" and isinstance(config, dict):
        yield from _lambda_by_name(cast("Node", config), where)
    if class_name == "__typespec__":
        yield from refer(module, str(node.get("spec_name", "")), "class", where)
    elif class_name == "function" or (class_name in {"builtin_function_or_method", "type"} and isinstance(config, str)):
        name = _first_text(node, "config", "function", "registered_name", "name")
        yield from refer(module, name, "function", where) if name else _named_module(module, where)
    elif class_name not in _MARKERS:
        yield from refer(module, class_name, "class", where)
    registered = node.get("registered_name")
    if isinstance(registered, str) and ">" in registered and class_name not in _MARKERS:
        yield Fact("keras.custom-object", f"a class the model's author registered: {quote(registered, 80)}", where=where,
                   quote=quote(registered), attrs={"name": registered})  # fmt: skip


def _first_text(node: Node, *keys: str) -> str:
    return next((value for value in map(node.get, keys) if isinstance(value, str)), "")


def _lambda_by_name(config: Node, where: str) -> Iterator[Fact]:
    """A Lambda of the second generation may name its function; it is looked up in the module beside it."""
    for key in ("function", "output_shape", "mask"):
        name, module = config.get(key), config.get("module" if key == "function" else f"{key}_module")
        if isinstance(name, str) and name.replace(".", "").isidentifier() and isinstance(module, str) and module != "__main__":
            yield from refer(module, name, "function", f"{where}.config.{key}")


def _tensor_symbol(node: Node, where: str) -> Iterator[Fact]:
    config = node.get("config")
    symbol = cast("Node", config).get("function") if isinstance(config, dict) else None
    if isinstance(symbol, str) and not tensor_symbol_is_plain(symbol):
        yield Fact("keras.reference", "a layer names a TensorFlow function", where=where, quote=quote(f"tensorflow.{symbol}"),
                   attrs={"module": "tensorflow", "name": symbol, "how": "function"})  # fmt: skip


def refer(module: str, name: str, how: str, where: str) -> Iterator[Fact]:
    """The fact about one reference, if Keras' own objects do not explain it."""
    place = place_of(module, name, function=how != "class")
    shown = quote(f"{module}.{name}" if module else name)
    attrs: dict[str, str | int | float | bool] = {"module": module, "name": name, "how": how}
    if place is Place.FOREIGN:
        yield Fact("keras.reference", f"Keras imports and uses {shown}", where=where, quote=shown, attrs=attrs)
    elif place is Place.GADGET:
        attrs["gadget"] = GADGETS[name]
        yield Fact("keras.gadget", f"the configuration calls Keras' own {shown}", where=where, quote=shown, attrs=attrs)
    elif place is Place.INTERNAL:
        yield Fact("keras.internal", f"the configuration uses {shown}, no layer, loss or activation", where=where, quote=shown,
                   attrs=attrs)  # fmt: skip
    elif place is Place.CUSTOM:
        yield Fact(
            "keras.custom-object", f"a function or class of the model's author: {shown}", where=where, quote=shown, attrs=attrs
        )


# Keys under which Keras, or a layer written for it, takes text for a function's name. Vocabularies and labels are none.
_CALLED = re.compile(
    r"(?:.*_)?(?:activation|function|fn|func|callable|callback|loss|metrics?|initializer|regularizer|constraint|standardize|split"
    r"|preprocessor|target|optimizer|output_shape|mask|call|method)"
)


def _string(text: str, where: str, key: str) -> Iterator[Fact]:
    if not text or len(text) > 200:
        return
    module, _, name = text.rpartition(".")
    if key.endswith("_module"):
        yield from _named_module(text, where)
    elif not _CALLED.fullmatch(key):
        return
    elif name in GADGETS and name != "export" and (not module or place_of(module, name, function=True) is Place.GADGET):
        yield from refer(module, name, "string", where)
    elif module and all(part.isidentifier() for part in text.split(".")) and place_of(module, name, function=True) is Place.FOREIGN:
        note = f"{quote(key, 60)} names {quote(text)}"
        attrs: dict[str, Scalar] = {"module": module, "name": name, "how": "string"}
        yield Fact("keras.reference-string", note, where=where, quote=quote(text), attrs=attrs)


def _named_module(text: str, where: str) -> Iterator[Fact]:
    if all(part.isidentifier() for part in text.split(".")) and text != "__main__":
        yield Fact("keras.module", f"the configuration names the module {quote(text)}", where=where, quote=quote(text),
                   attrs={"module": text, "name": "*", "how": "module"})  # fmt: skip


__all__ = ["Malformed", "facts", "is_keras", "read", "refer"]
