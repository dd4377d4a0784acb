"""Tensors of an ONNX model: their sizes, and the files beside the model they say their bytes are in.

Fields of TensorProto: 1 dims, 2 data_type, 3 segment, 4 float_data, 5 int32_data, 6 string_data, 7 int64_data, 8 name,
9 raw_data, 10 double_data, 11 uint64_data, 12 doc_string, 13 external_data, 14 data_location, 16 metadata_props.
"""

import re
from collections.abc import Iterator

import msgspec

from hauberk.assets.graphs.graph_text import bytes_facts, text_facts
from hauberk.assets.graphs.protobuf import Field, Wire
from hauberk.assets.quoting import quote
from hauberk.core import Fact

# Bits of one element by data_type; 8 (string) has none. 0 is UNDEFINED.
_BITS = {
    1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16,
    17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2,
}  # fmt: skip
_STRING = 8
_TYPED_DATA = {4, 5, 6, 7, 10, 11}
_MAX_STRINGS = 4096
_MAX_PAIRS = 64
_KEYS = frozenset({"location", "offset", "length", "checksum"})
_DECIMAL = re.compile(r"[0-9]{1,19}")
_MAX_INT64 = (1 << 63) - 1


class Tensor(msgspec.Struct):
    """What is known of one tensor; `dims` is cut to 64 entries."""

    name: str = ""
    dims: list[int] = msgspec.field(default_factory=list[int])
    data_type: int = 0
    raw: Field | None = None
    typed: bool = False
    external: bool = False
    pairs: list[tuple[str, str]] = msgspec.field(default_factory=list[tuple[str, str]])
    scalar: float | None = None  # the value of a tensor of one float or integer, where it is cheap to know
    offset: int = 0

    @property
    def elements(self) -> int:
        """The product of the dimensions."""
        product = 1
        for dim in self.dims:
            product *= dim
        return product


def read_tensor(wire: Wire, field: Field, depth: int, where: str) -> Iterator[Fact | Tensor]:
    """Facts on the TensorProto in `field`; the last thing yielded is the Tensor itself."""
    tensor = Tensor(offset=field.start)
    strings = 0
    for part in wire.inside(field, depth):
        number = part.number
        if number == 1:
            tensor.dims.extend(wire.numbers(part, max(0, 64 - len(tensor.dims))))
        elif number == 2:
            tensor.data_type = part.signed
        elif number == 8:
            tensor.name = wire.text(part, 1 << 14)
        elif number == 9:
            tensor.raw = part
        elif number == 13:
            if len(tensor.pairs) < _MAX_PAIRS:
                tensor.pairs.append(_pair(wire, part, depth + 1))
        elif number == 14:
            tensor.external = part.value == 1
        elif number in {12, 16}:
            value = wire.text(part) if number == 12 else _pair(wire, part, depth + 1)[1]
            yield from text_facts(value, f"{where} documentation", part.start)
        elif number in _TYPED_DATA:
            tensor.typed = True
            tensor.scalar = _scalar(wire, part)
            if number == 6:
                strings += 1
                if strings <= _MAX_STRINGS:
                    yield from _string(wire, part, where)
    label = f"{where} {tensor.name}".strip()
    yield from _size_facts(tensor, label)
    if tensor.raw is not None and tensor.raw.size >= 16:
        head = wire.read(tensor.raw.start, min(512, tensor.raw.size))
        yield from bytes_facts(head, tensor.raw.size, f"tensor {quote(label, 60)}", tensor.raw.start)
    if tensor.raw is not None and 0 < tensor.raw.size <= 8:
        tensor.scalar = _raw_scalar(wire, tensor)
    yield tensor


def _pair(wire: Wire, field: Field, depth: int) -> tuple[str, str]:
    key = value = ""
    for part in wire.inside(field, depth):
        if part.number == 1:
            key = wire.text(part, 1024)
        elif part.number == 2:
            value = wire.text(part, 1 << 16)
    return key, value


def pair_of(wire: Wire, field: Field, depth: int) -> tuple[str, str]:
    """Key and value of a StringStringEntryProto."""
    return _pair(wire, field, depth)


def _string(wire: Wire, field: Field, where: str) -> Iterator[Fact]:
    if field.size < 16:
        return
    data = wire.bytes_of(field, 1 << 20)
    yield from bytes_facts(data[:512], field.size, f"a string of {quote(where, 60)}", field.start)
    yield from text_facts(data.decode("utf-8", "backslashreplace"), f"{where} string", field.start)


def _scalar(wire: Wire, field: Field) -> float | None:
    if field.number == 4 and field.size == 4:
        return _float(wire.read(field.start, 4))
    if field.number in {5, 7} and field.size <= 10:
        return float(next(wire.numbers(field, 1), 0))
    return None


def _raw_scalar(wire: Wire, tensor: Tensor) -> float | None:
    assert tensor.raw is not None
    data = wire.read(tensor.raw.start, tensor.raw.size)
    if tensor.data_type == 1 and len(data) == 4:
        return _float(data)
    if tensor.data_type in {6, 7, 2, 3} and len(data) * 8 == _BITS[tensor.data_type]:
        return float(int.from_bytes(data, "little", signed=True))
    return None


def _float(data: bytes) -> float:
    import struct

    value: float = struct.unpack("<f", data)[0]
    return value


def _size_facts(tensor: Tensor, label: str) -> Iterator[Fact]:
    shown, at = quote(label, 100), tensor.offset
    if tensor.data_type not in _BITS and tensor.data_type != _STRING:
        if tensor.data_type or tensor.dims or tensor.raw:
            note = f"element type {tensor.data_type}, which ONNX does not have"
            yield Fact("onnx.tensor-type", note, offset=at, where=shown, quote=str(tensor.data_type))
        return
    if any(dim < 0 for dim in tensor.dims):
        yield Fact("onnx.tensor-dims", "a negative dimension", offset=at, where=shown, quote=str(tensor.dims[:8]))
        return
    elements = tensor.elements
    if elements * 16 > _MAX_INT64:
        yield Fact("onnx.tensor-dims", "the dimensions multiply beyond 64 bits", offset=at, where=shown, quote=str(tensor.dims[:8]))
        return
    if tensor.data_type == _STRING:
        if tensor.raw is not None:
            yield Fact(
                "onnx.tensor-type", "strings in raw_data, which holds numbers only", offset=at, where=shown, quote="raw_data"
            )
        return
    wanted = (elements * _BITS[tensor.data_type] + 7) // 8
    if tensor.external:
        return
    if tensor.raw is not None:
        if tensor.raw.size != wanted:
            note = f"{tensor.raw.size} bytes of data for a shape that needs {wanted}"
            yield Fact("onnx.tensor-size", note, offset=at, where=shown, quote=str(tensor.dims[:8]))
    elif not tensor.typed and wanted > 1 << 20:
        note = f"no data for a shape that needs {wanted} bytes"
        yield Fact("onnx.tensor-size", note, offset=at, where=shown, quote=str(tensor.dims[:8]))


def external_facts(tensor: Tensor, where: str) -> Iterator[Fact]:
    """Facts on where `tensor` says its bytes are."""
    label, at = quote(f"{where} {tensor.name}".strip(), 100), tensor.offset
    if not tensor.external and not tensor.pairs:
        return
    seen: set[str] = set()
    for key, value in tensor.pairs:
        if key in seen:
            note = f"external_data names {quote(key, 40)} twice; readers disagree on which counts"
            yield Fact("onnx.external-key", note, offset=at, where=label, quote=quote(key, 60), attrs={"problem": "duplicate"})
        seen.add(key)
        if key == "location":
            yield from _location_facts(value, label, at)
        elif key in {"offset", "length"}:
            yield from _number_facts(key, value, label, at)
        elif key not in _KEYS and not re.fullmatch(r"prepacked_\d+", key):
            problem = "attribute" if key.startswith("_") or key == "basepath" else "unknown"
            note = f"external_data has the key {quote(key, 40)}, which a reader may set as an attribute"
            yield Fact(
                "onnx.external-key", note, offset=at, where=label, quote=quote(f"{key}={value}", 80), attrs={"problem": problem}
            )
    yield from _sum_facts(tensor, label, at)
    if tensor.external and "location" not in seen:
        yield Fact("onnx.external-key", "external data without a location", offset=at, where=label, attrs={"problem": "missing"})


def _number_facts(key: str, value: str, label: str, at: int) -> Iterator[Fact]:
    if not _DECIMAL.fullmatch(value) or int(value) > _MAX_INT64:
        note = f"external_data {key} is {quote(value, 40)}, no number within bounds"
        yield Fact("onnx.external-number", note, offset=at, where=label, quote=quote(f"{key}={value}", 80))


def _sum_facts(tensor: Tensor, label: str, at: int) -> Iterator[Fact]:
    numbers = {key: int(value) for key, value in tensor.pairs if key in {"offset", "length"} and _DECIMAL.fullmatch(value)}
    end = numbers.get("offset", 0) + numbers.get("length", 0)
    if len(numbers) == 2 and end > _MAX_INT64 >= max(numbers.values()):
        note = "external_data offset and length together overflow 64 bits"
        yield Fact("onnx.external-number", note, offset=at, where=label, quote=quote(str(numbers), 80))
    bits = _BITS.get(tensor.data_type)
    if bits and "length" in numbers and all(dim >= 0 for dim in tensor.dims):
        wanted = (tensor.elements * bits + 7) // 8
        if numbers["length"] < wanted:
            note = f"external_data of {numbers['length']} bytes for a shape that needs {wanted}"
            yield Fact("onnx.tensor-size", note, offset=at, where=label, quote=str(tensor.dims[:8]))


def location_problem(location: str) -> str:
    """Why `location` is no plain relative path inside the model's directory; "" when it is one."""
    if "\x00" in location or any(ord(c) < 32 for c in location):
        return "control"
    if re.match(r"(?i)[a-z][a-z0-9+.-]+://|file:|data:", location):
        return "url"
    if location.startswith(("/", "\\")):
        return "absolute"
    if re.match(r"[A-Za-z]:", location):
        return "drive"
    if location.startswith("~"):
        return "home"
    if re.search(r"\$(?:\w+|\{)|%\w+%", location):
        return "environment"
    if ".." in re.split(r"[\\/]+", location):
        return "traversal"
    return "" if location else "empty"


def _location_facts(location: str, label: str, at: int) -> Iterator[Fact]:
    problem = location_problem(location)
    if problem:
        note = f"the tensor's bytes are said to be at {quote(location, 80)}"
        yield Fact("onnx.external-path", note, offset=at, where=label, quote=quote(location), attrs={"problem": problem})
