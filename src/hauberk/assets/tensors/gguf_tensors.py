"""Holds GGUF tensor records against the file: names, types, dimensions, offsets, and what lies around the data."""

from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.containers.trailing import padding_fact, trailing_facts
from hauberk.assets.native.payload_magic import HEAD, PROGRAMS, payload_kind
from hauberk.assets.quoting import quote
from hauberk.assets.tensors.gguf_header import Header, TensorRecord
from hauberk.assets.tensors.gguf_types import REMOVED_TENSOR_TYPES, TENSOR_TYPES
from hauberk.assets.tensors.tensor_name import name_problem
from hauberk.assets.tensors.tensor_span import TensorSpan
from hauberk.core import Content, Fact

_MOST_BYTES = 1 << 63  # what a signed 64-bit size can say
_NAME_ROOM = 64  # ggml keeps this much for a name, its closing NUL included
_NAME_ROOM_WIDE = 128  # image generators build ggml with twice that


def place(header: Header, record: TensorRecord) -> TensorSpan | None:
    """Where the bytes of `record` lie, None when its type or dimensions make no size."""
    size = byte_size(record)
    if size is None:
        return None
    start = header.data_start + record.offset
    shape = record.dims[::-1]  # GGUF names the innermost dimension first, everything else names it last
    return TensorSpan(record.name.decode("utf-8", "replace"), TENSOR_TYPES[record.type][0], shape, start, start + size)


def byte_size(record: TensorRecord) -> int | None:
    """How many bytes the tensor takes, None when the type is unknown or a row is no whole number of blocks."""
    if record.type not in TENSOR_TYPES:
        return None
    _, block, block_size = TENSOR_TYPES[record.type]
    elements = 1
    for dim in record.dims:
        elements *= dim
    row = record.dims[0] if record.dims else 1
    return elements // block * block_size if row % block == 0 else None


def tensor_facts(content: Content, header: Header, budget: Budget) -> Iterator[Fact]:
    """Every tensor on its own, then all of them in the file's order."""
    seen: set[bytes] = set()
    for record in header.tensors:
        budget.tick(256)
        yield from _name_facts(header, record, seen)
        yield from _shape_facts(record)
    yield from _layout_facts(content, header, budget)


def _name_facts(header: Header, record: TensorRecord, seen: set[bytes]) -> Iterator[Fact]:
    shown = quote(record.name, 80)
    if record.name in seen:
        yield _fact("tensor-duplicate", f"two tensors are called {shown!r}", record)
    seen.add(record.name)
    if not record.name:
        yield _fact("tensor-name", "a tensor without a name", record, problem="empty")
    if len(record.name) >= _NAME_ROOM:
        problem = "long" if len(record.name) >= _NAME_ROOM_WIDE else "long-for-text" if _is_text_model(header) else "wide"
        yield _fact(
            "tensor-name", f"a tensor's name of {len(record.name)} bytes; loaders keep room for 63", record, problem=problem
        )
    problem = name_problem(record.name.decode("utf-8", "replace"))
    if problem:
        yield _fact("tensor-name", f"the tensor's name {shown!r} is no plain name", record, problem=problem)


def _is_text_model(header: Header) -> bool:
    return f"{header.text('general.architecture')}.block_count" in header.values or "tokenizer.ggml.tokens" in header.values


def _shape_facts(record: TensorRecord) -> Iterator[Fact]:
    if record.type not in TENSOR_TYPES:
        what = "was removed" if record.type in REMOVED_TENSOR_TYPES else "is not known"
        yield _fact("tensor-type", f"the tensor type {record.type} {what}", record)
        return
    elements = 1
    for dim in record.dims:
        elements *= dim
    name, block, block_size = TENSOR_TYPES[record.type]
    dims = list(record.dims)
    if any(dim == 0 or dim >= _MOST_BYTES for dim in dims):
        yield _fact("tensor-dims", f"the dimensions {dims} are not all between 1 and 2^63 - 1", record)
    elif elements >= _MOST_BYTES or elements // block * block_size >= _MOST_BYTES:
        yield _fact("tensor-dims", f"the dimensions {dims} make more bytes than 64 bits can count", record)
    elif byte_size(record) is None:
        yield _fact(
            "tensor-dims", f"a row of {dims[0] if dims else 1} elements is no whole number of {name} blocks of {block}", record
        )


def _layout_facts(content: Content, header: Header, budget: Budget) -> Iterator[Fact]:
    alignment, start = header.alignment, header.data_start
    yield from padding_fact(content, header.end, min(start, content.size), "gguf.padding")
    total = 0  # of the padded sizes, as loaders add them up
    spans: list[tuple[int, int, TensorRecord]] = []
    for record in header.tensors:
        size = byte_size(record)
        if size is None:
            continue
        total += -(-size // alignment) * alignment
        if record.offset % alignment:
            yield _fact("tensor-alignment", f"the offset {record.offset} is no multiple of {alignment}", record)
        if start + record.offset + size > content.size:
            note = f"{size} bytes at {record.offset} of the data section run past the end of the file"
            yield _fact("tensor-bounds", note, record)
        else:
            spans.append((record.offset, size, record))
    if total >= 1 << 64:
        yield Fact("gguf.tensor-total", "the tensors' padded sizes add up to more than 64 bits can count", where="tensors")
    end = 0
    for item in _order_facts(content, start, alignment, spans, budget):
        if isinstance(item, Fact):
            yield item
        else:
            end = item
    if len(spans) == len(header.tensors):
        yield from trailing_facts(content, start + end, "gguf", slack=alignment)


def _order_facts(
    content: Content, start: int, alignment: int, spans: list[tuple[int, int, TensorRecord]], budget: Budget
) -> Iterator[Fact | int]:
    """Facts on neighbours in the file, and the end of each tensor as it is reached."""
    expected = 0
    for offset, size, record in sorted(spans, key=lambda span: (span[0], span[1])):
        budget.tick(256)
        if offset < expected - alignment or (offset < expected and size):
            yield _fact("tensor-overlap", f"begins {expected - offset} bytes before its neighbour ends", record)
        elif offset >= expected + alignment:
            yield _fact("tensor-gap", f"{offset - expected} bytes before this tensor belong to no tensor", record)
            kind = payload_kind(content.read(start + expected, HEAD), offset - expected)
            if kind:
                yield _fact("gap-payload", f"the bytes between two tensors begin like a {kind}", record, payload=kind)
        elif offset > expected:
            yield from padding_fact(content, start + expected, start + offset, "gguf.padding")
        kind = payload_kind(content.read(start + offset, min(size, HEAD)), size)
        if kind:
            check = "tensor-payload" if kind in PROGRAMS else "tensor-object"
            yield _fact(check, f"the tensor's bytes begin like a {kind}", record, payload=kind)
        expected = max(expected, offset + size)
        yield expected


def _fact(check: str, note: str, record: TensorRecord, **attrs: str) -> Fact:
    return Fact(f"gguf.{check}", note, offset=record.at, where=quote(record.name, 80), attrs=dict(attrs))
