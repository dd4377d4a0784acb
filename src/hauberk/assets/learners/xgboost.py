"""XGBoost: JSON, UBJSON and the old binary. Trees are checked the way a predictor walks them: by index, unchecked."""

from collections.abc import Iterator
from typing import cast

from hauberk.assets.budget import Budget
from hauberk.assets.configs.json_bounded import parse_json
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed, ReadError
from hauberk.assets.learners.ubjson import parse_ubjson
from hauberk.assets.quoting import quote
from hauberk.assets.tensors.metadata_text import metadata_facts
from hauberk.core import Asset, Fact, Gap, GapReason

Node = dict[str, object]
_MAX_TEXTS = 10_000


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts of an XGBoost model."""
    assert asset.content is not None
    head = asset.content.read(0, 64)
    if head[:4] in {b"binf", b"bs64"}:
        yield from _binary(asset)
        return
    if asset.content.size > budget.limits.text:
        raise ReadError(GapReason.TOO_LARGE, f"a model of {asset.content.size >> 20} MiB")
    text = head.lstrip()[:1] == b"{" and head.lstrip()[1:2] in {b'"', b" ", b"\n", b"\r", b"\t", b"}"}
    obj = parse_json(asset.content.read(), budget) if text else parse_ubjson(asset.content, budget)
    yield from facts(asset, obj, budget)


def is_xgboost(obj: object) -> bool:
    """Whether parsed JSON is a model."""
    learner = _node(_node(obj).get("learner"))
    return "gradient_booster" in learner or "learner_model_param" in learner


def facts(asset: Asset, obj: object, budget: Budget) -> Iterator[Fact]:
    """What a parsed model holds. Raises ReadError when it is none."""
    del asset
    learner = _node(_node(obj).get("learner"))
    if not learner:
        raise Malformed("no learner in this model")
    params = _node(learner.get("learner_model_param"))
    features = _integer(params.get("num_feature"))
    for name in ("num_feature", "num_class", "num_target"):
        value = _integer(params.get(name))
        if value is not None and not 0 <= value < 1 << 31:
            yield Fact("xgboost.count", f"{name} is {value}", where=f"learner_model_param.{name}", quote=f"{name}={value}"[:80])
    yield from _trees(_node(learner.get("gradient_booster")), features, budget)
    yield from _texts(obj)


def _trees(booster: Node, features: int | None, budget: Budget) -> Iterator[Fact]:
    model = _node(_node(booster.get("gbtree", booster)).get("model"))
    trees = _list(model.get("trees"))
    declared = _integer(_node(model.get("gbtree_model_param")).get("num_trees"))
    if declared is not None and declared != len(trees):
        yield Fact(
            "xgboost.count", f"{declared} trees declared, {len(trees)} there", where="num_trees", quote=f"num_trees={declared}"[:80]
        )
    for number, tree in enumerate(trees):
        budget.tick(64)
        yield from _tree(_node(tree), f"trees[{number}]", features)


def _tree(tree: Node, where: str, features: int | None) -> Iterator[Fact]:
    nodes = _integer(_node(tree.get("tree_param")).get("num_nodes"))
    left, right = _list(tree.get("left_children")), _list(tree.get("right_children"))
    count = len(left)
    if nodes is not None and nodes != count:
        yield Fact("xgboost.count", f"{nodes} nodes declared, {count} there", where=where, quote=f"num_nodes={nodes}"[:80])
    for name in ("right_children", "parents", "split_indices", "split_conditions", "default_left"):
        values = tree.get(name)
        if isinstance(values, list) and len(cast("list[object]", values)) != count:
            yield Fact("xgboost.count", f"{name} is not as long as left_children", where=f"{where}.{name}", quote=name)
    for name, values in (("left_children", left), ("right_children", right)):
        bad = next((v for v in values if not isinstance(v, int) or not -1 <= v < count), None)
        if bad is not None:
            yield Fact(
                "xgboost.child",
                f"{name} points to node {quote(str(bad), 40)} of {count}",
                where=f"{where}.{name}",
                quote=f"{name}={bad}"[:80],
            )
    if any(isinstance(v, int) and v == i for i, v in enumerate(left)) or any(
        isinstance(v, int) and v == i for i, v in enumerate(right)
    ):
        yield Fact("xgboost.child", "a node is its own child", where=where, quote="own child")
    limit = features or 1 << 31
    bad = next((v for v in _list(tree.get("split_indices")) if not isinstance(v, int) or not 0 <= v < limit), None)
    if bad is not None:
        yield Fact(
            "xgboost.split", f"a node splits on feature {quote(str(bad), 40)} of {features}", where=where, quote=f"split={bad}"[:80]
        )


def _texts(obj: object) -> Iterator[Fact]:
    """Every text in the model; arrays of numbers are passed over."""
    stack: list[tuple[object, str]] = [(obj, "$")]
    told = 0
    while stack and told < _MAX_TEXTS:
        node, where = stack.pop()
        if isinstance(node, dict):
            stack.extend((value, f"{where}.{key}"[:200]) for key, value in cast("Node", node).items())
        elif isinstance(node, list) and node and not isinstance(node[0], int | float):
            stack.extend((value, where) for value in cast("list[object]", node))
        elif isinstance(node, str) and any(mark in node for mark in "(|<`;:$"):
            told += 1
            yield from metadata_facts(node, where)


def _binary(asset: Asset) -> Iterator[Fact | Gap]:
    assert asset.content is not None
    cursor = Cursor(asset.content, 4)
    cursor.skip(4)
    features, classes = cursor.uint(4), cursor.sint(4)
    cursor.skip(136 - 12)
    if features > 1 << 28 or not 0 <= classes < 1 << 20:
        yield Fact("xgboost.count", f"{features} features, {classes} classes", where="header", quote=f"num_feature={features}")
    for name in ("objective", "booster"):
        length = cursor.uint(8)
        if length > 256:
            raise Malformed(f"the name of the {name} is {length} bytes long", offset=cursor.offset, check="xgboost.length")
        cursor.skip(length)
    yield Gap(asset.uri, GapReason.UNSUPPORTED, "the trees of the old binary form are not read", kind=asset.kind)


def _node(value: object) -> Node:
    return cast("Node", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _integer(value: object) -> int | None:
    if isinstance(value, int):
        return value
    if isinstance(value, str) and len(value) < 40:
        try:
            return int(value)
        except ValueError:
            return None
    return None
