"""Raw arrays between the opcodes: joblib writes an array's bytes right after the object that describes it."""

from typing import Final

from hauberk.assets.pickle.machine import Halt, Machine
from hauberk.assets.pickle.values import NONE, Ref, Result, Table, Value, group_of

_WRAPPERS: Final = frozenset(
    f"{package}.numpy_pickle.NumpyArrayWrapper" for package in ("joblib", "sklearn.externals.joblib", "sklearn.externals")
)
_CHAR_SIZE: Final = {"U": 4}


def read_array(machine: Machine, wrapper: Result, state: Value) -> None:
    """Passes over the array behind a joblib wrapper, or follows the pickle that stands for an object array."""
    if wrapper.origin.path not in _WRAPPERS or not isinstance(state, Table):
        return
    machine.frame_end = -1  # the array's bytes are in no frame
    fields = state.entries
    dtype, shape = fields.get("dtype"), fields.get("shape")
    size = item_size(dtype)
    if size == 0:
        _nested_stream(machine)
        return
    extents = group_of(shape)
    if size is None or extents is None:
        raise Halt("the size of a raw array cannot be worked out", "undecided")
    count = 1
    for extent in extents:
        if not isinstance(extent, int) or extent < 0:
            raise Halt("a raw array has no usable shape")
        count *= extent
    alignment = fields.get("numpy_array_alignment_bytes", NONE)
    if alignment is not NONE:
        machine.skip(machine.take(1)[0])
    if count * size > machine.size - machine.offset:
        note = f"a raw array claims {min(count * size, 1 << 62)} bytes, {machine.size - machine.offset} are left"
        machine.fact("pickle.array-bounds", note)
    machine.skip(count * size)


def item_size(dtype: Value) -> int | None:
    """Bytes of one item; 0 when items are Python objects, None when it cannot be told."""
    if not isinstance(dtype, Result) or not dtype.args:
        return _builtin_size(dtype)
    text = dtype.args[0]
    if not isinstance(text, str):
        return None
    text = text.lstrip("<>|=")
    kind, digits = text[:1], text[1:]
    if kind == "O":
        return 0
    if text.startswith("V") and _has_objects(dtype):
        return 0
    if not digits.isascii() or not digits.isdigit() or len(digits) > 12:
        return None
    return int(digits) * _CHAR_SIZE.get(kind, 1)


def _has_objects(dtype: Result) -> bool:
    for part in (group_of(dtype.state) or ())[:8]:
        if isinstance(part, Table) and any(map(_holds_objects, part.entries.values())):
            return True
    return False


def _holds_objects(field: Value) -> bool:
    pair = group_of(field)
    return bool(pair) and item_size(pair[0]) == 0


def _builtin_size(dtype: Value) -> int | None:
    return 0 if isinstance(dtype, Ref) and dtype.name in {"object", "object_"} else None


def _nested_stream(machine: Machine) -> None:
    """An object array: `pickle.load` from the same file, then the outer stream goes on behind its STOP."""
    if machine.depth >= 8:
        raise Halt("object arrays nested too deep", "too-deep")
    inner = Machine(machine.asset, machine.budget, machine.offset)
    inner.depth = machine.depth + 1
    try:
        while inner.run_some():
            pass
    finally:
        inner.finish()
        machine.out.extend(inner.out)
    machine.jump(inner.offset)
