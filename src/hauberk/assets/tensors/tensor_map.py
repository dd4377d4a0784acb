"""Where the tensors of a file lie, whatever the format: the leaves of its Merkle tree."""

import re
import struct
from collections.abc import Callable

from hauberk.assets.budget import Budget
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed, ReadError
from hauberk.assets.tensors.tensor_span import TensorSpan
from hauberk.core import Content

_END = struct.Struct("<4sHHHHIIH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_MOST_MEMBERS = 500_000


def spans(content: Content, format: str, budget: Budget | None = None) -> list[TensorSpan]:  # noqa: A002
    """The tensors of `content` in file order; empty for a format without any, or a file that cannot be read that far."""
    finder = _FINDERS.get(format)
    if finder is None:
        return []
    try:
        return sorted(finder(content, budget or Budget()), key=lambda span: (span.start, span.end))
    except ReadError:
        return []


def _safetensors(content: Content, budget: Budget) -> list[TensorSpan]:
    from hauberk.assets.tensors.safetensors import tensor_spans

    del budget
    return tensor_spans(content)


def _gguf(content: Content, budget: Budget) -> list[TensorSpan]:
    from hauberk.assets.tensors.gguf import tensor_spans

    return tensor_spans(content, budget)


_NPY_DTYPES = {
    b"<f4": "F32",
    b"<f8": "F64",
    b"<f2": "F16",
    b"|u1": "U8",
    b"|i1": "I8",
    b"<i4": "I32",
    b"<i8": "I64",
    b"|b1": "BOOL",
}
_NPY_DESCR = re.compile(rb"'descr': *'([^']{1,8})'")
_NPY_SHAPE = re.compile(rb"'shape': *\(([\d, ]{0,200})\)")


def _npy(content: Content, budget: Budget) -> list[TensorSpan]:
    del budget
    width = 2 if content.read(6, 1) == b"\x01" else 4
    length = int.from_bytes(content.read(8, width), "little")
    start = 8 + width + length
    if content.read(0, 6) != b"\x93NUMPY" or start > content.size:
        raise Malformed("no npy header", offset=0)
    header = content.read(8 + width, min(length, 1 << 16))
    descr, shape = _NPY_DESCR.search(header), _NPY_SHAPE.search(header)
    dims = tuple(int(part) for part in shape.group(1).split(b",") if part.strip()) if shape else ()
    return [TensorSpan("array", _NPY_DTYPES.get(descr.group(1) if descr else b"", ""), dims, start, content.size)]


def _zip(content: Content, budget: Budget) -> list[TensorSpan]:
    """The stored members of a PyTorch archive that hold numbers: `<name>/data/<n>`."""
    found: list[TensorSpan] = []
    for name, offset, size in stored_members(content, budget):
        parts = name.split("/")
        if len(parts) < 2 or parts[-2] not in {"data", "constants", "tensors"} or parts[-1].endswith((".pkl", ".py")):
            continue
        local = content.read(offset, 30)
        if local[:4] != b"PK\x03\x04" or len(local) < 30:
            continue
        start = offset + 30 + int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
        if start + size <= content.size:
            found.append(TensorSpan(name, "", (), start, start + size))
    return found


def stored_members(content: Content, budget: Budget) -> list[tuple[str, int, int]]:
    """Name, offset of the local header and size of each member stored without compression. Raises ReadError."""
    tail_at = max(0, content.size - 66_000)
    tail = content.read(tail_at, 66_000)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        raise Malformed("no end record", offset=tail_at)
    _, _, _, _, count, size, offset, _ = _END.unpack_from(tail, at)
    if count == 0xFFFF or 0xFFFFFFFF in {size, offset}:
        count, size, offset = _zip64(content, tail, at)
    cursor = Cursor(content, offset, min(content.size, offset + size))
    members: list[tuple[str, int, int]] = []
    for _ in range(min(count, _MOST_MEMBERS)):
        budget.tick(256)
        member = _central(cursor)
        if member:
            members.append(member)
    return members


def _zip64(content: Content, tail: bytes, at: int) -> tuple[int, int, int]:
    if at < 20 or tail[at - 20 : at - 16] != b"PK\x06\x07":
        raise Malformed("no zip64 locator")
    record = content.read(int.from_bytes(tail[at - 12 : at - 4], "little"), 56)
    if record[:4] != b"PK\x06\x06" or len(record) < 56:
        raise Malformed("no zip64 end record")
    count, size, offset = struct.unpack_from("<QQQ", record, 32)
    return count, size, offset


def _central(cursor: Cursor) -> tuple[str, int, int] | None:
    fields = _CENTRAL.unpack(cursor.take(_CENTRAL.size))
    signature, _, _, _, method, _, _, _, packed, size, name_length, extra_length, comment_length = fields[:13]
    offset = fields[16]
    if signature != b"PK\x01\x02":
        raise Malformed("no central directory entry", offset=cursor.offset)
    name = cursor.take(name_length).decode("utf-8", "replace")
    extra = cursor.take(extra_length)
    cursor.skip(comment_length)
    wide = [value == 0xFFFFFFFF for value in (size, packed, offset)]
    if any(wide):
        size, packed, offset = _wide_fields(extra, wide, (size, packed, offset))
    return (name, offset, size) if method == 0 and size == packed and size else None


def _wide_fields(extra: bytes, wide: list[bool], values: tuple[int, int, int]) -> tuple[int, int, int]:
    position = 0
    while position + 4 <= len(extra):
        tag, length = struct.unpack_from("<HH", extra, position)
        body = extra[position + 4 : position + 4 + length]
        if tag == 1 and len(body) >= 8 * sum(wide):
            numbers = iter(struct.unpack_from(f"<{sum(wide)}Q", body))
            size, packed, offset = (next(numbers) if is_wide else value for is_wide, value in zip(wide, values, strict=True))
            return size, packed, offset
        position += 4 + length
    return values


_FINDERS: dict[str, Callable[[Content, Budget], list[TensorSpan]]] = {
    "safetensors": _safetensors,
    "gguf": _gguf,
    "npy": _npy,
    "zip": _zip,
}
