"""The hyperparameters of a GGUF model: loaders size their tables by them, divide by them and index with them."""

import math
from collections.abc import Iterator

import msgspec

from hauberk.assets.quoting import quote
from hauberk.assets.tensors.gguf_header import Header, Value, integers
from hauberk.assets.tensors.gguf_types import ARRAY, INTEGERS, STRING
from hauberk.core import Content, Fact
from hauberk.core.asset import Scalar

_MOST_LAYERS = 512
_BIG = 1 << 24
_RELATION: dict[str, Scalar] = {"problem": "relation"}
_RECURRENT = (".ssm.", ".wkv.", ".shortconv.", ".kda.", ".linear_attention.")


class _Range(msgspec.Struct, frozen=True):
    low: int
    high: int
    per_layer: bool = False  # an array may give one value for each layer


_LAYERS = _Range(1, _MOST_LAYERS)
_SOME_LAYERS = _Range(0, _MOST_LAYERS)
_HEADS = _Range(1, 1 << 14, per_layer=True)
_WIDTH = _Range(1, _BIG, per_layer=True)
_MAYBE = _Range(0, _BIG, per_layer=True)
# What follows the architecture's name in a key -> what a loader can live with
_RANGES: dict[str, _Range] = {
    "block_count": _LAYERS,
    "decoder_block_count": _SOME_LAYERS,
    "leading_dense_block_count": _SOME_LAYERS,
    "nextn_predict_layers": _SOME_LAYERS,
    "moe_every_n_layers": _SOME_LAYERS,
    "posnet.block_count": _SOME_LAYERS,
    "convnext.block_count": _SOME_LAYERS,
    "attention.shared_kv_layers": _SOME_LAYERS,
    "context_length": _Range(1, 1 << 31),
    "embedding_length": _Range(1, 1 << 20),
    "embedding_length_out": _Range(0, 1 << 20),
    "features_length": _MAYBE,
    "feed_forward_length": _MAYBE,
    "expert_feed_forward_length": _MAYBE,
    "expert_shared_feed_forward_length": _MAYBE,
    "attention.head_count": _HEADS,
    "attention.head_count_kv": _Range(0, 1 << 14, per_layer=True),
    "attention.key_length": _Range(0, 1 << 16, per_layer=True),
    "attention.value_length": _Range(0, 1 << 16, per_layer=True),
    "attention.q_lora_rank": _MAYBE,
    "attention.kv_lora_rank": _MAYBE,
    "attention.group_norm_groups": _MAYBE,
    "attention.relative_buckets_count": _MAYBE,
    "attention.sliding_window": _Range(0, 1 << 31, per_layer=True),
    "rope.dimension_count": _Range(0, 1 << 16, per_layer=True),
    "expert_count": _Range(0, 4096, per_layer=True),
    "expert_used_count": _Range(0, 4096, per_layer=True),
    "expert_shared_count": _Range(0, 4096),
    "expert_group_count": _Range(0, 4096),
    "expert_group_used_count": _Range(0, 4096),
    "vocab_size": _Range(1, _BIG),
    "token_shift_count": _Range(0, 64),
    "ssm.conv_kernel": _Range(0, 1 << 10),
    "ssm.inner_size": _MAYBE,
    "ssm.state_size": _MAYBE,
    "ssm.time_step_rank": _MAYBE,
    "ssm.group_count": _MAYBE,
    "wkv.head_size": _Range(1, 1 << 14),
    "shortconv.l_cache": _Range(1, 1 << 14),
}


def params_facts(content: Content, header: Header) -> Iterator[Fact]:
    """`gguf.hparam` for each value out of the range a loader can use, `gguf.architecture`, `gguf.split`."""
    yield from _architecture(header)
    yield from _split(header)
    for value in header.values.values():
        limits = _RANGES.get(value.key.partition(".")[2])
        if isinstance(value.scalar, float) and not math.isfinite(value.scalar):
            yield _fact(value, f"{value.key} is {value.scalar}", "relation")
        if limits and not value.key.startswith(("general.", "tokenizer.", "split.", "clip.")):
            yield from _one(content, header, value, limits)
    yield from _relations(header)


def _one(content: Content, header: Header, value: Value, limits: _Range) -> Iterator[Fact]:
    if value.type == ARRAY:
        yield from _per_layer(content, header, value, limits)
        return
    number = value.scalar
    if value.type not in INTEGERS or number is None:
        yield _fact(value, f"{value.key} is no integer", "type")
        return
    low = 0 if number == 0 and value.key.endswith("head_count") and _is_recurrent(header) else limits.low
    if not low <= number <= limits.high:
        yield _fact(value, f"{value.key} is {number}, loaders expect {low} to {limits.high}", "range")


def _per_layer(content: Content, header: Header, value: Value, limits: _Range) -> Iterator[Fact]:
    if not limits.per_layer or value.element not in INTEGERS:
        yield _fact(value, f"{value.key} is an array where loaders read one integer", "type")
        return
    layers = header.integer(f"{value.key.partition('.')[0]}.block_count")
    if value.count > _MOST_LAYERS or (layers and value.count > layers):
        kind = "range" if value.count > _MOST_LAYERS else "relation"
        yield _fact(value, f"{value.key} has {value.count} elements for {layers or 'no'} layers", kind)
    numbers = integers(content, value, header.layout, _MOST_LAYERS)
    wrong = next((n for n in numbers if not 0 <= n <= limits.high), None)
    if wrong is not None:
        yield _fact(value, f"{value.key} holds {wrong}, loaders expect 0 to {limits.high}", "range")


def _is_recurrent(header: Header) -> bool:
    """Models without attention in every layer write a head count of zero."""
    architecture = header.text("general.architecture")
    return architecture.startswith(("mamba", "rwkv", "arwkv")) or any(mark in key for key in header.values for mark in _RECURRENT)


def _relations(header: Header) -> Iterator[Fact]:
    """Values that bound one another."""
    name = header.text("general.architecture")
    for inner, outer in (
        ("posnet.block_count", "block_count"),
        ("convnext.block_count", "block_count"),
        ("leading_dense_block_count", "block_count"),
        ("nextn_predict_layers", "block_count"),
        ("attention.shared_kv_layers", "block_count"),
        ("expert_used_count", "expert_count"),
        ("expert_group_used_count", "expert_group_count"),
        ("attention.head_count_kv", "attention.head_count"),
        ("rope.dimension_count", "embedding_length"),
        ("attention.head_count", "embedding_length"),
    ):
        small, large = header.integer(f"{name}.{inner}"), header.integer(f"{name}.{outer}")
        if small is not None and large and small > large:
            value = header.values[f"{name}.{inner}"]
            yield _fact(value, f"{inner} is {small}, more than {outer}, which is {large}", "relation")


def _architecture(header: Header) -> Iterator[Fact]:
    value = header.values.get("general.architecture")
    if value is None:
        return
    name = value.text
    if value.type != STRING or not name or len(name) > 64 or not name.isascii() or not name.isprintable() or " " in name:
        note = f"general.architecture is {quote(name, 40)!r}, no name of an architecture"
        yield Fact("gguf.architecture", note, offset=value.at, where=value.key, quote=quote(name, 80), attrs=_RELATION)


def _split(header: Header) -> Iterator[Fact]:
    count, number = header.integer("split.count"), header.integer("split.no")
    total = header.integer("split.tensors.count")
    if count is not None and number is not None and count > 0 and not 0 <= number < count:
        value = header.values["split.no"]
        yield Fact("gguf.split", f"part {number} of {count}", offset=value.at, where=value.key, attrs=_RELATION)
    if total is not None and (total < 0 or (count in {0, 1} and header.records > total)):
        value = header.values["split.tensors.count"]
        note = f"{header.records} tensors here, {total} in all parts"
        yield Fact("gguf.split", note, offset=value.at, where=value.key, attrs=_RELATION)


def _fact(value: Value, note: str, problem: str) -> Fact:
    shown = f"{value.count} elements" if value.type == ARRAY else str(value.scalar)
    return Fact("gguf.hparam", note, offset=value.at, where=quote(value.key), quote=quote(shown), attrs={"problem": problem})
