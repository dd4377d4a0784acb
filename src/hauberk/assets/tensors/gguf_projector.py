"""The fields of image and audio encoders (mmproj files): image sizes, patches, pin points, means and deviations."""

from collections.abc import Iterator

from hauberk.assets.quoting import quote
from hauberk.assets.tensors.gguf_header import Header, Value
from hauberk.assets.tensors.gguf_types import ARRAY, INTEGERS
from hauberk.core import Content, Fact

# The end of a key -> (lowest, highest) a loader can divide by and allocate for
_RANGES: dict[str, tuple[int, int]] = {
    "image_size": (1, 1 << 14),
    "patch_size": (1, 1 << 10),
    "preproc_image_size": (1, 1 << 14),
    "image_min_pixels": (0, 1 << 28),
    "image_max_pixels": (1, 1 << 28),
    "image_crop_resolution": (0, 1 << 14),
    "scale_factor": (1, 64),
    "spatial_merge_size": (1, 64),
    "n_merge": (0, 64),
    "window_size": (0, 1 << 14),
    "embedding_length": (1, 1 << 20),
    "feed_forward_length": (0, 1 << 24),
    "projection_dim": (0, 1 << 20),
    "block_count": (0, 512),
    "attention.head_count": (1, 1 << 12),
    "attention.head_count_kv": (0, 1 << 12),
    "num_mel_bins": (1, 1 << 12),
    "chunk_size": (1, 1 << 16),
    "stack_factor": (1, 1 << 10),
    "sample_rate": (1, 1 << 20),
    "n_wa_pattern": (0, 1 << 10),
    "minicpmv_query_num": (0, 1 << 16),
}
_ENDS = tuple(sorted(_RANGES, key=len, reverse=True))
_MOST_PATCHES_A_SIDE = 1024
_THREE = ("image_mean", "image_std")


def projector_facts(content: Content, header: Header) -> Iterator[Fact]:
    """`gguf.projector` for each value that makes an encoder divide by zero, overflow or read past a table."""
    del content
    for value in header.values.values():
        if not value.key.startswith("clip."):
            continue
        yield from _arrays(value)
        end = next((e for e in _ENDS if value.key.endswith("." + e)), "")
        if end:
            yield from _number(value, *_RANGES[end])
    for part in ("clip.vision.", "clip."):
        size, patch = header.integer(part + "image_size"), header.integer(part + "patch_size")
        if size and patch and size > 0 and patch > 0 and size // patch > _MOST_PATCHES_A_SIDE:
            value = header.values[part + "patch_size"]
            yield _fact(value, f"an image of {size} in patches of {patch} has more than {_MOST_PATCHES_A_SIDE} patches a side")


def _number(value: Value, low: int, high: int) -> Iterator[Fact]:
    if value.type == ARRAY:
        return
    number = value.scalar
    if value.type not in INTEGERS or number is None:
        yield _fact(value, f"{value.key} is no integer")
    elif not low <= number <= high:
        yield _fact(value, f"{value.key} is {number}, loaders expect {low} to {high}")


def _arrays(value: Value) -> Iterator[Fact]:
    if value.key.endswith(_THREE) and (value.type != ARRAY or value.count != 3 or value.element not in {6, 12}):
        yield _fact(value, f"{value.key} has {value.count} elements of the type {value.element}, three floats are wanted")
    if value.key.endswith("grid_pinpoints") and (value.type != ARRAY or value.count % 2 or value.element not in INTEGERS):
        yield _fact(value, f"{value.key} has {value.count} elements, pairs of integers are wanted")
    if value.key.endswith(("feature_layer", "wa_layer_indexes", "deepstack_layers")) and value.type == ARRAY and value.count > 512:
        yield _fact(value, f"{value.key} has {value.count} elements, more than there can be layers")


def _fact(value: Value, note: str) -> Fact:
    shown = f"{value.count} elements" if value.type == ARRAY else str(value.scalar)
    return Fact("gguf.projector", note, offset=value.at, where=quote(value.key), quote=quote(shown))
