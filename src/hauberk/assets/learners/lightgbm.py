"""LightGBM's text form. A predictor follows child and feature indices without checking them; here they are checked."""

from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.errors import ReadError
from hauberk.assets.keras.values import path_kind
from hauberk.assets.quoting import quote
from hauberk.assets.tensors.metadata_text import metadata_facts
from hauberk.core import Asset, Fact, Gap, GapReason

_FILES = frozenset({
    "machine_list_filename", "machine_list_file", "mlist", "input_model", "output_model", "output_result", "initscore_filename",
    "forcedsplits_filename", "forcedbins_filename", "convert_model", "parser_config_file", "machines", "data", "valid",
})  # fmt: skip
_MAX_LEAVES = 1 << 24


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts of a LightGBM model."""
    assert asset.content is not None
    if asset.content.size > budget.limits.text:
        raise ReadError(GapReason.TOO_LARGE, f"a model of {asset.content.size >> 20} MiB")
    section: dict[str, str] = {}
    features: int | None = None
    for line in asset.content.read().decode("utf-8", "replace").splitlines():
        budget.tick()
        key, equals, value = line.partition("=")
        if line.startswith("[") and ":" in line:
            yield from _parameter(line)
        elif key == "Tree" or line.strip() == "end of trees":
            yield from _tree(section, features)
            section = {"Tree": value} if key == "Tree" else {}
        elif equals and "Tree" in section:
            section[key] = value
        elif key == "max_feature_idx":
            features = _integer(value)
            if features is None or not 0 <= features < 1 << 28:
                yield Fact("lightgbm.count", f"max_feature_idx is {quote(value, 40)}", where=key, quote=quote(line, 80))
        elif key in {"num_class", "num_tree_per_iteration"} and not 0 < (_integer(value) or 0) < 1 << 20:
            yield Fact("lightgbm.count", f"{key} is {quote(value, 40)}", where=key, quote=quote(line, 80))
        if line[:1] != "[" and (any(mark in line for mark in "(|<`;") or "://" in line):
            yield from metadata_facts(line[:65536], quote(key, 60))
    yield from _tree(section, features)


def _tree(section: dict[str, str], features: int | None) -> Iterator[Fact]:
    if len(section) < 2:
        return
    where = f"Tree={section['Tree']}"[:60]
    leaves = _integer(section.get("num_leaves", ""))
    if leaves is None or not 0 < leaves < _MAX_LEAVES:
        yield Fact(
            "lightgbm.count", f"num_leaves is {quote(section.get('num_leaves', 'absent'), 40)}", where=where, quote="num_leaves"
        )
        return
    for key in ("left_child", "right_child", "split_feature"):
        values = section.get(key, "").split()
        if len(values) != leaves - 1:
            yield Fact("lightgbm.count", f"{key} has {len(values)} values for {leaves} leaves", where=where, quote=f"{key} length")
        for value in values:
            problem = _problem(key, _integer(value), leaves, features)
            if problem:
                yield Fact("lightgbm.index", f"{key} {quote(value, 40)} {problem}", where=where, quote=f"{key}={quote(value, 40)}")
                break
    values = section.get("leaf_value", "").split()
    if len(values) != leaves:
        yield Fact("lightgbm.count", f"{len(values)} leaf values for {leaves} leaves", where=where, quote="leaf_value length")


def _problem(key: str, value: int | None, leaves: int, features: int | None) -> str:
    if value is None:
        return "is no integer"
    if key == "split_feature":
        return "" if 0 <= value <= (features if features is not None else 1 << 28) else f"is beyond feature {features}"
    inside = value < leaves - 1 if value >= 0 else ~value < leaves
    return "" if inside else f"leaves a tree of {leaves} leaves"


def _parameter(line: str) -> Iterator[Fact]:
    key, _, value = line.strip().strip("[]").partition(":")
    key, value = key.strip(), value.strip()
    if key in _FILES and value:
        reach = path_kind(value)
        # An absolute path of training data is what every command-line run leaves behind; an address never is.
        if reach == "url" or (key not in {"data", "valid", "output_model", "output_result"} and reach != "relative"):
            note = f"the parameter {key} names {quote(value, 80)}"
            yield Fact("lightgbm.parameter-path", note, where=key, quote=quote(value), attrs={"reach": reach})
    yield from metadata_facts(value[:65536], key[:100])


def _integer(value: str) -> int | None:
    try:
        return int(value) if len(value) < 40 else None
    except ValueError:
        return None
