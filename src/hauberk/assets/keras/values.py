"""Values of a Keras configuration that reach outside it or past memory: vocabulary files, wrapped models, huge layers."""

import re
from collections.abc import Iterator
from typing import cast

from hauberk.assets.keras.code import torch_member
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Fact, Gap
from hauberk.core.asset import Scalar

Item = Fact | Asset | Gap
Node = dict[str, object]

_PATH_KEYS = ("vocabulary", "idf_weights", "vocabulary_file", "vocab_file")
_WRAPPERS = {
    "TFSMLayer": ("filepath",),
    "KerasLayer": ("handle",),
    "TorchModuleWrapper": ("module",),
    "JaxLayer": ("call_fn", "init_fn"),
    "FlaxLayer": ("module",),
    "PyTorchLayer": ("module",),
}
_SIZES = frozenset({
    "units", "filters", "input_dim", "output_dim", "num_heads", "key_dim", "max_tokens", "depth_multiplier", "vocabulary_size",
    "hidden_dim", "intermediate_dim", "num_layers", "sequence_length", "max_sequence_length", "output_sequence_length", "num_bins",
    "n", "target_length", "embedding_dim",
})  # fmt: skip
_MAX_SIZE = 1 << 31
_MAX_ELEMENTS = 1 << 36
_FAR = re.compile(r"(?i)^(?:[a-z][a-z0-9+.\-]*://|file:|\\\\)")
_FETCH_KEYS = ("origin", "url", "uri", "fname")


def path_kind(text: str) -> str:
    """How far a path reaches: "url", "parent", "absolute", "home" or "relative"."""
    if _FAR.match(text):
        return "url"
    if ".." in re.split(r"[\\/]", text):
        return "parent"
    if text.startswith(("~", "$", "%")):
        return "home"
    return "absolute" if text.startswith("/") or re.match(r"^[A-Za-z]:", text) else "relative"


def value_facts(asset: Asset, node: Node, where: str) -> Iterator[Item]:
    """What the values of one object say."""
    class_name, config = node.get("class_name"), node.get("config")
    if isinstance(class_name, str) and isinstance(config, dict):
        config = cast("Node", config)
        yield from _paths(config, class_name, where)
        yield from _wrapped(asset, config, class_name.rsplit(">", 1)[-1].rsplit(".", 1)[-1], where)
        yield from _sizes(config, class_name, where)
    yield from _extraction(node, where)


def _paths(config: Node, class_name: str, where: str) -> Iterator[Fact]:
    for key in _PATH_KEYS:
        value = config.get(key)
        if isinstance(value, str) and value:
            attrs: dict[str, Scalar] = {"reach": path_kind(value), "layer": class_name}
            note = f"{class_name} reads its {key} from a file when it is built"
            yield Fact("keras.file-path", note, where=f"{where}.config.{key}", quote=quote(value), attrs=attrs)


def _wrapped(asset: Asset, config: Node, layer: str, where: str) -> Iterator[Item]:
    for key in _WRAPPERS.get(layer, ()):
        value = config.get(key)
        if value is None:
            continue
        shown = quote(value) if isinstance(value, str) else ""
        reach = path_kind(value) if isinstance(value, str) else "inline"
        note = f"{layer} wraps a program of another framework"
        attrs: dict[str, Scalar] = {"layer": layer, "reach": reach}
        check = "keras.hub" if layer == "KerasLayer" else "keras.wrapper"
        yield Fact(check, note, where=f"{where}.config.{key}", quote=f"{layer} {shown}".strip(), attrs=attrs)
        if layer == "TorchModuleWrapper" and isinstance(value, str):
            yield from torch_member(asset, value, f"{where}.config.{key}")


def _sizes(config: Node, class_name: str, where: str) -> Iterator[Fact]:
    for key, value in config.items():
        if isinstance(value, bool):
            continue
        if key in _SIZES and isinstance(value, int | float):
            if value >= _MAX_SIZE or value < 0 or value != value:  # noqa: PLR0124 - NaN
                yield _size_fact(class_name, key, str(value), where)
        elif key in {"batch_shape", "batch_input_shape", "input_shape", "target_shape", "shape", "size"} and isinstance(
            value, list
        ):
            product = 1
            for item in cast("list[object]", value)[:32]:
                product *= item if isinstance(item, int) and not isinstance(item, bool) and item > 0 else 1
            if product >= _MAX_ELEMENTS:
                yield _size_fact(class_name, key, str(cast("list[object]", value)[:8]), where)


def _size_fact(class_name: str, key: str, value: str, where: str) -> Fact:
    return Fact(
        "keras.shape-bomb",
        f"{class_name} asks for {key} {quote(value, 40)}",
        where=f"{where}.config.{key}",
        quote=quote(f"{key}={value}", 80),
    )


def _extraction(node: Node, where: str) -> Iterator[Fact]:
    """Arguments of a download that is unpacked: `origin` or `url` with `extract` or `untar`."""
    if node.get("extract") is True or node.get("untar") is True:
        for key in _FETCH_KEYS:
            value = node.get(key)
            if isinstance(value, str) and _FAR.match(value):
                note = "the configuration downloads an archive and unpacks it"
                yield Fact("keras.fetch-and-extract", note, where=f"{where}.{key}", quote=quote(value))
