"""The files an ONNX model names beside it: links on the way to them, and whether they are as long as the model says."""

import os
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.content import PathContent
from hauberk.assets.errors import ReadError
from hauberk.assets.graphs.onnx import external_locations
from hauberk.assets.graphs.onnx_tensor import location_problem
from hauberk.assets.quoting import quote
from hauberk.assets.tree import Tree
from hauberk.core import Asset, Fact, Gap, GapReason

_MAX_MODELS = 2_000


def external_files(asset: Asset, tree: Tree, budget: Budget) -> Iterator[Fact | Gap]:
    """Facts on the external data of every ONNX model in a directory."""
    for number, name in enumerate(sorted(n for n in tree.files if n.lower().endswith(".onnx"))):
        if number >= _MAX_MODELS:
            note = f"only the first {_MAX_MODELS} ONNX models were held against the files they name"
            yield Gap(asset.uri, GapReason.TOO_LARGE, note)
            return
        yield from check_external(tree, name, budget)


def check_external(tree: Tree, onnx_name: str, budget: Budget | None = None) -> Iterator[Fact]:
    """Facts on the external data of the model `onnx_name`; a model that cannot be followed gives none, as its reader says so."""
    ends: dict[str, int] = {}
    try:
        for location, pairs in external_locations(tree.files[onnx_name], budget or Budget()):
            ends[location] = max(ends.get(location, 0), _end(pairs))
    except (ReadError, OSError):
        return
    folder = onnx_name.rpartition("/")[0]
    for location, end in ends.items():
        if location_problem(location):
            continue  # the model's reader reports the path itself
        path = "/".join(part for part in f"{folder}/{location}".split("/") if part not in {"", "."})
        yield from _linked(tree, onnx_name, path)
        content = tree.files.get(path)
        if content is not None and end > content.size:
            note = f"the model reads to byte {end} of {quote(path, 60)}, which has {content.size}"
            attrs: dict[str, str | int | float | bool] = {"path": onnx_name}
            yield Fact("onnx.external-bounds", note, where=quote(path, 100), quote=f"{end} of {content.size}", attrs=attrs)


def _end(pairs: dict[str, str]) -> int:
    offset, length = pairs.get("offset", "0"), pairs.get("length", "0")
    return int(offset[:20]) + int(length[:20]) if offset.isdecimal() and length.isdecimal() else 0


def _linked(tree: Tree, onnx_name: str, path: str) -> Iterator[Fact]:
    """Links anywhere on the way. A cache that links the model and its data into one store is what hubs do."""
    store = os.path.dirname(tree.links[onnx_name]) if onnx_name in tree.links else None
    parts = path.split("/")
    for count in range(1, len(parts) + 1):
        target = tree.links.get("/".join(parts[:count]))
        if target is None:
            continue
        whole = count == len(parts)
        if whole and os.path.dirname(target) == store:
            continue
        kind = "file" if whole else "directory"
        note = f"the external data {quote(path, 60)} is reached through a link to {quote(target, 80)}"
        attrs: dict[str, str | int | float | bool] = {"path": onnx_name, "link": kind}
        yield Fact("onnx.external-link", note, where=quote(path, 100), quote=quote(target), attrs=attrs)
    yield from _hard_linked(tree, onnx_name, path)


def _hard_linked(tree: Tree, onnx_name: str, path: str) -> Iterator[Fact]:
    """Data with a second name on this machine, where the model itself has only one."""
    content, model = tree.files.get(path), tree.files[onnx_name]
    if not isinstance(content, PathContent) or not isinstance(model, PathContent) or path in tree.links:
        return
    try:
        names, own = os.stat(content.path).st_nlink, os.stat(model.path).st_nlink
    except OSError:
        return
    if names > 1 and own == 1:
        note = f"the external data {quote(path, 60)} has {names} names on this machine, the model one"
        attrs: dict[str, str | int | float | bool] = {"path": onnx_name, "link": "hard"}
        yield Fact("onnx.external-link", note, where=quote(path, 100), quote=f"{names} links", attrs=attrs)
