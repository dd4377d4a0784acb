"""TensorFlow Lite models and ExecuTorch programs.

Model: 0 version, 1 operator_codes, 2 subgraphs, 3 description, 4 buffers, 6 metadata. OperatorCode: 1 custom_code.
SubGraph: 0 tensors, 1 inputs, 2 outputs, 3 operators, 4 name. Tensor: 0 shape, 1 type, 2 buffer, 3 name, 4 quantization.
Operator: 0 opcode_index, 1 inputs, 2 outputs, 4 builtin_options, 5 custom_options, 9 large offset, 10 large size, 12 options 2.
Buffer: 0 data, 1 offset, 2 size. Metadata: 0 name, 1 buffer.
"""

import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.errors import Malformed
from hauberk.assets.graphs.flatbuffer import Buffer, Table
from hauberk.assets.graphs.graph_text import bytes_facts, text_facts
from hauberk.assets.native.payload_magic import payload_kind
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Fact, Gap, GapReason

# Bits of one element by TensorType; strings, resources and variants have none.
_BITS = {0: 32, 1: 16, 2: 32, 3: 8, 4: 64, 6: 8, 7: 16, 8: 64, 9: 8, 10: 64, 11: 128, 12: 64, 15: 32, 16: 16, 17: 4, 18: 16}
_TYPES = 32  # more than any schema has
_SLACK = 64  # padding a writer may leave at the end


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts on a TensorFlow Lite model."""
    assert asset.content is not None
    if asset.content.read(4, 4) != b"TFL3":
        raise Malformed("the identifier TFL3 is missing", offset=4, check="flatbuffer.bounds")
    buffer = Buffer(asset.content, budget)
    model = buffer.root()
    yield from text_facts(model.text(3, 1 << 16), "description")
    codes = model.tables(1)
    yield from _operators(codes)
    buffers = model.tables(4)
    sizes: list[int] = []
    for number, table in enumerate(buffers):
        size, facts = _data(buffer, table, number)
        sizes.append(size)
        yield from facts
    for number, graph in enumerate(model.tables(2)):
        yield from _subgraph(graph, number, len(codes), sizes)
    for entry in model.tables(6):
        if entry.number(1, 4) >= len(sizes):
            yield _index("metadata", "buffer", entry.number(1, 4), len(sizes))
    yield from _trailing(buffer)


def _index(where: str, what: str, index: int, count: int) -> Fact:
    note = f"{what} {index} of {count}"
    return Fact("tflite.index", note, where=where, quote=f"{what} {index}/{count}", attrs={"what": what})


def _operators(codes: list[Table]) -> Iterator[Fact]:
    seen: set[str] = set()
    for number, code in enumerate(codes):
        name = code.text(1)
        builtin = max(code.number(3, 4, signed=True), code.number(0, 1, signed=True))
        if builtin != 32 or name in seen:  # 32 is CUSTOM
            if builtin < 0 or builtin > 512:
                yield Fact("tflite.index", f"operator code {builtin}", where=f"operator code {number}", quote=str(builtin))
            continue
        seen.add(name)
        if name.startswith("Flex"):
            yield Fact(
                "tf.op",
                f"the TensorFlow operation {quote(name[4:], 60)} runs through the Flex delegate",
                where=f"operator code {number}",
                quote=quote(name[4:], 80),
                attrs={"op": name[4:], "path": "input", "argument": ""},
            )
        else:
            plain = re.sub(r"[^a-z0-9]", "", name.lower())
            yield Fact(
                "tflite.custom-op",
                f"the custom operation {quote(name, 80)}",
                where=f"operator code {number}",
                quote=quote(name, 100),
                attrs={"op": name, "plain": plain},
            )


def _data(buffer: Buffer, table: Table, number: int) -> tuple[int, list[Fact]]:
    """Size of a buffer's data, and facts on it."""
    start, count = table.vector(0, 1)
    offset, size = table.number(1, 8), table.number(2, 8)
    if offset > 1:
        buffer.claim(offset, size, f"buffer {number}")
        start, count = offset, size
    if count < 16:
        return count, []
    head = buffer.read(start, min(512, count))
    return count, list(bytes_facts(head, count, f"buffer {number}", start))


def _subgraph(graph: Table, number: int, codes: int, sizes: list[int]) -> Iterator[Fact]:
    where = f"subgraph {number}"
    tensors = graph.tables(0)
    for index, tensor in enumerate(tensors):
        yield from _tensor(tensor, f"{where} tensor {index}", sizes)
    for what, field in (("input", 1), ("output", 2)):
        yield from _references(graph.integers(field), what, where, len(tensors))
    for index, operator in enumerate(graph.tables(3)):
        place = f"{where} operator {index}"
        code = operator.number(0, 4)
        if code >= codes:
            yield _index(place, "operator code", code, codes)
        for field in (1, 2, 8):
            yield from _references(operator.integers(field), "tensor", place, len(tensors))
        operator.table(4)
        operator.table(12)
        start, count = operator.vector(5, 1)
        if count >= 16:
            options = operator.buffer.read(start, min(count, 1 << 16))
            yield from bytes_facts(options[:512], count, f"{place} custom options", start)
            yield from text_facts(options.decode("utf-8", "backslashreplace"), f"{place} custom options", start)
        offset, size = operator.number(9, 8), operator.number(10, 8)
        if offset > 1:
            operator.buffer.claim(offset, size, "large custom options")


def _references(indices: list[int], what: str, where: str, count: int) -> Iterator[Fact]:
    bad = next((index for index in indices if not -1 <= index < count), None)
    if bad is not None:
        yield _index(where, what, bad, count)


def _tensor(tensor: Table, where: str, sizes: list[int]) -> Iterator[Fact]:
    shape, kind, index = tensor.integers(0, 64), tensor.number(1, 1), tensor.number(2, 4)
    name = tensor.text(3)
    quantization = tensor.table(4)
    if quantization is not None:
        for field, width in ((0, 4), (1, 4), (2, 4), (3, 8)):
            quantization.vector(field, width)
    if kind >= _TYPES:
        yield Fact("tflite.index", f"element type {kind}", where=where, quote=f"type {kind}", attrs={"what": "type"})
    if index >= len(sizes):
        yield _index(where, "buffer", index, len(sizes))
        return
    if any(dim < -1 for dim in shape):
        yield Fact("tflite.shape", "a negative dimension", where=where, quote=str(shape[:8]))
        return
    elements = 1
    for dim in shape:
        elements *= max(dim, 0) if dim != -1 else 1
    wanted = (elements * _BITS.get(kind, 0) + 7) // 8
    if index and sizes[index] and kind in _BITS and tensor.table(6) is None and sizes[index] < wanted:
        note = f"{sizes[index]} bytes of data for tensor {quote(name, 40)}, whose shape needs {wanted}"
        yield Fact("tflite.shape", note, where=where, quote=str(shape[:8]))


def _trailing(buffer: Buffer) -> Iterator[Fact]:
    """What lies behind the last table. A zip there is the model's metadata, as TensorFlow's own tools append it."""
    end = buffer.reached
    if buffer.size - end <= _SLACK:
        return
    head = buffer.content.read(end, 4096)
    stripped = head.lstrip(b"\x00")
    start = end + len(head) - len(stripped)
    if not stripped:
        return
    kind = payload_kind(stripped[:512], buffer.size - start)
    if kind == "zip":
        return  # read on its own: a zip is found from its end
    check = "tflite.trailing-payload" if kind else "tflite.trailing-data"
    note = f"{buffer.size - start} bytes behind the model" + (f" begin like a {kind}" if kind else "")
    yield Fact(check, note, offset=start, where="end", quote=quote(stripped[:48], 80), attrs={"payload": kind})


def read_executorch(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts on the header and the operator names of an ExecuTorch program; delegates' data is not read."""
    assert asset.content is not None
    content = asset.content
    if content.read(8, 4) == b"eh00":
        header = content.read(12, 28)
        program = int.from_bytes(header[4:12], "little")
        base = int.from_bytes(header[12:20], "little")
        data = int.from_bytes(header[20:28], "little")
        for what, value in (("program", program), ("segment base", base), ("segments", base + data)):
            if value > content.size:
                note = f"the {what} reaches to {value} in a file of {content.size} bytes"
                yield Fact("flatbuffer.bounds", note, offset=8, where="header", quote=f"{what} {value}")
    buffer = Buffer(content, budget)
    root = buffer.root()
    delegates = False
    for plan in root.tables(1):
        for operator in plan.tables(6):
            name = f"{operator.text(0)}.{operator.text(1)}".rstrip(".")
            yield Fact(
                "executorch.op", f"the operation {quote(name, 80)}", where="operators", quote=quote(name, 100), attrs={"op": name}
            )
        for delegate in plan.tables(7):
            delegates = True
            name = delegate.text(0)
            yield Fact(
                "executorch.delegate",
                f"the delegate {quote(name, 80)}",
                where="delegates",
                quote=quote(name, 100),
                attrs={"op": name},
            )
    what = "instructions, constants and delegates' data" if delegates else "instructions and constants"
    yield Gap(asset.uri, GapReason.UNSUPPORTED, f"the program's tables were checked; its {what} are not read")
