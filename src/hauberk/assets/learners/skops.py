"""The `schema.json` of a skops file: a tree of nodes, each naming a loader and the type or function it is to build."""

from collections.abc import Iterator
from typing import cast

from hauberk.assets.budget import Budget
from hauberk.assets.configs.json_bounded import parse_json
from hauberk.assets.errors import Malformed, ReadError
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Fact, Gap, GapReason
from hauberk.core.asset import Scalar

Node = dict[str, object]

_LOADERS = frozenset({
    "DictNode", "DefaultDictNode", "ListNode", "SetNode", "TupleNode", "FunctionNode", "PartialNode", "TypeNode", "SliceNode",
    "ObjectNode", "ReduceNode", "MethodNode", "OperatorFuncNode", "JsonNode", "NdArrayNode", "MaskedArrayNode", "RandomStateNode",
    "RandomGeneratorNode", "DTypeNode", "SparseMatrixNode", "CachedNode", "BytesNode", "BytearrayNode", "BytesIONode",
    "QuantileForestNode", "SGDNode", "TreeNode", "LossNode", "CyLossNode", "_DictWithDeprecatedKeysNode", "DatetimeNode",
})  # fmt: skip
_VALUES = frozenset({
    "str", "int", "float", "bool", "NoneType", "dict", "list", "tuple", "set", "frozenset", "bytes", "bytearray", "complex",
    "slice", "type", "object", "range",
})  # fmt: skip
_MAX_NODES = 500_000


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts of a skops schema."""
    assert asset.content is not None
    if asset.content.size > budget.limits.text:
        raise ReadError(GapReason.TOO_LARGE, f"a schema of {asset.content.size >> 20} MiB")
    obj = parse_json(asset.content.read(), budget)
    if is_skops(obj):
        yield from facts(asset, obj, budget)
    elif ".skops" in asset.uri:
        raise Malformed(
            "the schema of this skops file names no loader, so nothing says what its members are", check="skops.no-schema"
        )
    else:
        from hauberk.assets.configs.json_text import judged

        yield from judged(asset, obj, budget)


def is_skops(obj: object) -> bool:
    """Whether parsed JSON is a skops schema."""
    return isinstance(obj, dict) and ("__loader__" in obj or ("__class__" in obj and "__module__" in obj))


def facts(asset: Asset, obj: object, budget: Budget) -> Iterator[Fact]:
    """What every node of a schema names."""
    del asset
    stack: list[tuple[object, str]] = [(obj, "$")]
    seen = 0
    while stack:
        node, where = stack.pop()
        seen += 1
        if seen > _MAX_NODES:
            raise ReadError(GapReason.TOO_LARGE, f"more than {_MAX_NODES} values")
        budget.tick()
        if isinstance(node, dict):
            node = cast("Node", node)
            if "__loader__" in node or "__class__" in node:
                yield from _node(node, where)
            stack.extend((value, f"{where}.{key}"[:300]) for key, value in reversed(node.items()))
        elif isinstance(node, list):
            stack.extend((value, f"{where}[{i}]"[:300]) for i, value in reversed(list(enumerate(cast("list[object]", node)))))


def _node(node: Node, where: str) -> Iterator[Fact]:
    loader = _text(node.get("__loader__"))
    module, name = _text(node.get("__module__")), _text(node.get("__class__"))
    if "." in name and name.startswith(module + "."):
        name = name[len(module) + 1 :]
    if loader and loader not in _LOADERS:
        yield Fact("skops.loader", f"no loader is called {quote(loader, 60)}", where=where, quote=quote(loader))
    if loader == "FunctionNode":
        content = _dict(node.get("content"))
        yield _reference(_text(content.get("module_path")) or module, _text(content.get("function")) or name, loader, where)
    elif loader == "MethodNode":
        yield from _method(node, module, name, where)
    elif loader == "OperatorFuncNode":
        arguments = quote(str(node.get("attrs"))[:400], 120)
        note = f"operator.{quote(name, 40)} is built with arguments from the file"
        yield Fact("skops.operator", note, where=where, quote=f"operator.{quote(name, 40)} {arguments}", attrs={"name": name})
        if module != "operator":
            yield _reference(module, name, loader, where)
    elif loader == "ReduceNode":
        yield _reference(module, name, loader, where)
    elif (module or name) and not (module in {"", "builtins"} and name in _VALUES):
        yield _reference(module, name, loader or "type", where)


def _method(node: Node, module: str, name: str, where: str) -> Iterator[Fact]:
    content = _dict(node.get("content"))
    function, target = _text(content.get("func")), _dict(content.get("obj"))
    claimed, real = f"{module}.{name}", f"{_text(target.get('__module__'))}.{_text(target.get('__class__'))}"
    attrs: dict[str, Scalar] = {"private": function.startswith("_"), "confused": claimed != real}
    note = f"the attribute {quote(function, 60)} of {quote(real, 60)} is taken; the node says {quote(claimed, 60)}"
    yield Fact("skops.method", note, where=where, quote=quote(f"{real}.{function}"), attrs=attrs)


def _reference(module: str, name: str, how: str, where: str) -> Fact:
    shown = quote(f"{module}.{name}" if module else name)
    attrs: dict[str, Scalar] = {"module": module, "name": name, "how": how}
    return Fact("skops.reference", f"{how} builds {shown}", where=where, quote=shown, attrs=attrs)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _dict(value: object) -> Node:
    return cast("Node", value) if isinstance(value, dict) else {}
