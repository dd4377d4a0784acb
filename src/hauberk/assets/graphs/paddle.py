"""PaddlePaddle: programs (ProgramDesc) and parameters (a run of LoDTensors).

ProgramDesc: 1 blocks. BlockDesc: 1 idx, 2 parent, 3 vars, 4 ops. OpDesc: 1 inputs, 2 outputs, 3 type, 4 attrs.
OpDesc.Attr: 1 name, 2 type, 5 s, 8 strings. LoDTensor: u32 0, u64 levels, (u64 size, data)*, u32 0, i32 length, TensorDesc, data.
"""

import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed
from hauberk.assets.graphs.graph_text import bytes_facts, text_facts
from hauberk.assets.graphs.protobuf import LEN, Field, Wire
from hauberk.assets.graphs.savedmodel_graph import is_outside
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Fact, Gap, GapReason

_BYTES = {0: 1, 1: 2, 2: 4, 3: 8, 4: 2, 5: 4, 6: 8, 19: 8, 20: 1, 21: 1, 22: 2, 23: 8, 24: 16}
_MAX_TENSORS = 200_000


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts on a program, or on a file of parameters."""
    assert asset.content is not None
    if asset.content.read(0, 16) == b"\x00" * 16:
        yield from _parameters(asset, budget)
        return
    wire = Wire(asset.content, budget)
    blocks = 0
    for field in wire.fields():
        if field.number == 1:
            if field.wire != LEN:
                raise Malformed("the first field is no block: not a program", offset=field.start, check="protobuf.malformed")
            blocks += 1
            yield from _block(wire, field)
    if not blocks:
        raise Malformed("no block: not a program", check="protobuf.malformed")


def _block(wire: Wire, field: Field) -> Iterator[Fact]:
    for part in wire.inside(field, 0):
        if part.number == 4 and part.wire == LEN:
            yield from _operation(wire, part)
        elif part.number == 3 and part.wire == LEN:
            name = next((wire.text(i, 1024) for i in wire.inside(part, 1) if i.number == 1), "")
            yield from text_facts(name, "variable", part.start)


def _operation(wire: Wire, field: Field) -> Iterator[Fact]:
    kind, texts = "", list[tuple[str, str, int]]()
    for part in wire.inside(field, 1):
        if part.number == 3:
            kind = wire.text(part, 256)
        elif part.number == 4 and part.wire == LEN:
            texts.extend(_attribute(wire, part))
    path = ""
    for name, text, offset in texts:
        if name in {"op_callstack", "op_namescope"}:
            continue  # where the author's Python stood when the operation was made
        yield from text_facts(text, f"{kind} {name}", offset)
        yield from bytes_facts(text[:512].encode("latin-1", "replace"), len(text), f"{kind} {name}", offset)
        if not path and (is_outside(text) or re.search(r"path|file|dir|library|module", name)):
            path = text
    how = "outside" if path and is_outside(path) else "constant" if path else ""
    attrs: dict[str, str | int | float | bool] = {"op": kind, "path": how, "argument": quote(path, 200)}
    note = f"the operation {quote(kind, 60)}" + (f" with {quote(path, 80)}" if path else "")
    yield Fact(
        "paddle.op",
        note,
        offset=field.start,
        where=quote(kind, 80),
        quote=f"{quote(kind, 80)} {quote(path, 80)}".strip(),
        attrs=attrs,
    )


def _attribute(wire: Wire, field: Field) -> Iterator[tuple[str, str, int]]:
    name = ""
    for part in wire.inside(field, 2):
        if part.number == 1:
            name = wire.text(part, 256)
        elif part.number in {5, 8} and part.wire == LEN and part.size:
            yield name, wire.text(part, 1 << 14), part.start


def _parameters(asset: Asset, budget: Budget) -> Iterator[Fact | Gap]:
    """Every tensor's header, passing over the data."""
    assert asset.content is not None
    cursor = Cursor(asset.content)
    for number in range(_MAX_TENSORS):
        if not cursor.remaining:
            return
        budget.tick(64)
        yield from _tensor(asset, cursor, budget, number)
    yield Gap(asset.uri, GapReason.TOO_LARGE, f"more than {_MAX_TENSORS} tensors")


def _tensor(asset: Asset, cursor: Cursor, budget: Budget, number: int) -> Iterator[Fact]:
    assert asset.content is not None
    start = cursor.offset
    if cursor.uint(4) != 0:
        raise Malformed(f"tensor {number} is of a version that does not exist", offset=start, check="paddle.tensor-bounds")
    for _ in range(_checked(cursor.uint(8), 64, "levels", start)):
        cursor.skip(_checked(cursor.uint(8), cursor.remaining, "bytes of offsets", start))
    version, length = cursor.uint(4), cursor.uint(4)
    if version or not 2 <= length <= 4096:
        raise Malformed(f"tensor {number} has a description of {length} bytes", offset=start, check="paddle.tensor-bounds")
    wire = Wire(asset.content, budget)
    kind, elements = -1, 1
    for part in wire.fields(cursor.offset, cursor.offset + length):
        if part.number == 1:
            kind = part.value
        elif part.number == 2:
            for dim in wire.numbers(part):
                elements *= dim
    cursor.skip(length)
    if kind not in _BYTES or elements < 0 or elements > 1 << 50:
        raise Malformed(f"tensor {number} of type {kind} with {elements} elements", offset=start, check="paddle.tensor-bounds")
    size = elements * _BYTES[kind]
    data = cursor.offset
    cursor.skip(size)
    yield from bytes_facts(asset.content.read(data, min(512, size)), size, f"tensor {number}", data)


def _checked(value: int, most: int, what: str, offset: int) -> int:
    if value > most:
        raise Malformed(f"{value} {what}, at most {most} possible", offset=offset, check="paddle.tensor-bounds")
    return value
