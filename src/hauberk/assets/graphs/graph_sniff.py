"""Recognises graphs written as protocol buffers, which have no magic number, by the structure of their first messages."""

import re

from hauberk.assets.budget import Budget, Limits
from hauberk.assets.errors import ReadError
from hauberk.assets.graphs.protobuf import LEN, VARINT, Field, Wire
from hauberk.core import Content

_TOP = 256  # top-level fields looked at
_INNER = 12  # fields looked at of a message below
_WORD = re.compile(rb"[A-Za-z_][\w.>:/ +-]{0,200}")
_NAME = re.compile(rb"[^\x00-\x1f\x7f]{1,1000}")
_OP = re.compile(rb"[A-Za-z_][\w.>-]{0,200}")
_CORE_ML_MODELS = frozenset(
    {
        *range(200, 203),
        *range(300, 305),
        *range(400, 405),
        *range(500, 503),
        *range(550, 561),
        *range(600, 615),
        900,
        *range(2000, 2007),
        3000,
    }
)
_DATA_SHARD = re.compile(r"(?:^|[./_-])data-\d{5}-of-\d{5}$")
_TABLE_MAGIC = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
_BY_NAME = {".onnx": "onnx", ".pdmodel": "paddle", ".mlmodel": "coreml", ".tflite": "tflite", ".pte": "executorch"}


def graph_format(content: Content, head: bytes) -> str:
    """The family whose structure the first messages have (onnx, savedmodel, coreml, paddle, cntk), "" for none of them."""
    if len(head) < 8 or head[0] < 8 or head[0] & 7 not in {VARINT, LEN}:
        return ""  # no tag of a number or a length: three bytes of four go this way
    wire = Wire(content, Budget(Limits(seconds=2)))
    top = _fields(wire, 0, content.size, _TOP)
    if not top:
        return ""
    numbers = {field.number for field in top}
    for label, test in _FAMILIES:
        if test(wire, top, numbers):
            return label
    return ""


def named_format(content: Content, head: bytes, name: str, suffix: str, *, is_text: bool) -> str:
    """What a file calls itself where its bytes say nothing: a checkpoint's shard, or a model too broken to recognise."""
    base = name.rsplit("/", 1)[-1]
    if base == "saved_model.pb":
        return "savedmodel"
    label = _BY_NAME.get(suffix, "")
    if label:
        return label
    if is_text:
        return ""
    if _DATA_SHARD.search(base) or (suffix == ".index" and content.read(max(0, content.size - 8), 8) == _TABLE_MAGIC):
        return "savedmodel"
    if base == "fingerprint.pb" and head[:1] == b"\x08":
        return "savedmodel"
    if head[:8] == b"\x12\x01\x00\x00\x00\x00\x00\x00":
        return "mxnet"
    if head[:6] == b"B\x00C\x00N\x00" or suffix in {".cntk", ".dnn"}:
        return "cntk"
    if head[:4] == b"ftrt":
        return "tensorrt"
    return "paddle" if _is_paddle_tensor(head) else ""


def _is_paddle_tensor(head: bytes) -> bool:
    """A LoDTensor: version 0, few levels of detail, version 0, then a short TensorDesc with type and dims."""
    if len(head) < 32 or head[:4] != b"\x00\x00\x00\x00" or head[4:16] != b"\x00" * 12:
        return False
    length = int.from_bytes(head[16:20], "little")
    return 2 <= length <= 128 and head[20] == 0x08 and head[22] == 0x10 and head[21] < 32


def _fields(wire: Wire, start: int, end: int, limit: int) -> list[Field]:
    """The first fields of a message, as far as they can be followed."""
    found: list[Field] = []
    try:
        for field in wire.fields(start, end):
            found.append(field)
            if len(found) >= limit:
                break
    except ReadError:
        pass
    return found


def _inner(wire: Wire, field: Field) -> dict[int, Field]:
    """The first field of each number in the message that `field` holds; empty when it holds none."""
    if field.wire != LEN:
        return {}
    found: dict[int, Field] = {}
    for part in _fields(wire, field.start, field.end, _INNER):
        found.setdefault(part.number, part)
    return found


def _first(fields: list[Field], number: int) -> Field | None:
    return next((field for field in fields if field.number == number), None)


def _matches(wire: Wire, field: Field | None, pattern: re.Pattern[bytes]) -> bool:
    if field is None or field.wire != LEN or not field.size or field.size > 2048:
        return False
    try:
        return pattern.fullmatch(wire.read(field.start, field.size)) is not None
    except ReadError:
        return False


def _is_onnx(wire: Wire, top: list[Field], numbers: set[int]) -> bool:
    version = _first(top, 1)
    if version is not None and version.wire != VARINT:
        return False
    graph, opset = _first(top, 7), _first(top, 8)
    if graph is not None and _is_onnx_graph(wire, graph):
        return True
    return (
        opset is not None
        and version is not None
        and graph is None
        and _is_opset(wire, opset)
        and numbers <= {*range(1, 9), 14, 20, 25, 26}
    )


def _is_onnx_graph(wire: Wire, field: Field) -> bool:
    parts = _inner(wire, field)
    if not parts or any(part.wire != LEN or number not in {1, 2, *range(5, 17)} for number, part in parts.items()):
        return False
    node = _inner(wire, parts[1]) if 1 in parts else {}
    if node:
        return _matches(wire, node.get(4), _WORD) or set(node) <= {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
    return any(number in parts for number in (2, 5, 11, 12))


def _is_opset(wire: Wire, field: Field) -> bool:
    parts = _inner(wire, field)
    return bool(parts) and set(parts) <= {1, 2} and (2 not in parts or parts[2].wire == VARINT)


def _is_savedmodel(wire: Wire, top: list[Field], numbers: set[int]) -> bool:
    """SavedModel, MetaGraphDef, GraphDef, or Keras' metadata beside a SavedModel."""
    del numbers
    first, second = _first(top, 1), _first(top, 2)
    if first is not None and first.wire == LEN:
        return _is_node(wire, first) or _is_keras_node(wire, first) or (second is not None and _is_graph_def(wire, second))
    return second is not None and (_is_meta_graph(wire, second) or _is_graph_def(wire, second))


def _is_meta_graph(wire: Wire, field: Field) -> bool:
    parts = _inner(wire, field)
    return 2 in parts and all(part.wire == LEN for part in parts.values()) and _is_graph_def(wire, parts[2])


def _is_graph_def(wire: Wire, field: Field) -> bool:
    parts = _inner(wire, field)
    if 1 in parts:
        return _is_node(wire, parts[1])
    return 2 in parts and _is_library(wire, parts[2])


def _is_library(wire: Wire, field: Field) -> bool:
    function = _inner(wire, field).get(1)
    signature = _inner(wire, function).get(1) if function else None
    return signature is not None and _matches(wire, _inner(wire, signature).get(1), _OP)


def _is_node(wire: Wire, field: Field) -> bool:
    parts = _inner(wire, field)
    if not parts or any(number > 7 or part.wire != LEN for number, part in parts.items()):
        return False
    return _matches(wire, parts.get(1), _NAME) and _matches(wire, parts.get(2), _OP)


def _is_keras_node(wire: Wire, field: Field) -> bool:
    identifier = _inner(wire, field).get(4)
    return identifier is not None and identifier.wire == LEN and wire.bytes_of(identifier, 16).startswith(b"_tf_keras_")


def _is_coreml(wire: Wire, top: list[Field], numbers: set[int]) -> bool:
    version, description = _first(top, 1), _first(top, 2)
    if version is None or version.wire != VARINT or not 0 < version.value < 64:
        return False
    if not numbers & _CORE_ML_MODELS or (description is not None and description.wire != LEN):
        return False
    return (
        description is None
        or not _inner(wire, description)
        or set(_inner(wire, description)) <= {1, 10, 11, 12, 13, 20, 50, 100, 101}
    )


def _is_paddle(wire: Wire, top: list[Field], numbers: set[int]) -> bool:
    block = _first(top, 1)
    if block is None or not numbers <= {1, 2, 3, 4, 5}:
        return False
    parts = _inner(wire, block)
    return all(n in parts and parts[n].wire == VARINT for n in (1, 2)) and set(parts) <= {1, 2, 3, 4, 5}


def _is_cntk(wire: Wire, top: list[Field], numbers: set[int]) -> bool:
    """A Dictionary: version 1, then entries of a key and a DictionaryValue, which begins with its own version."""
    del numbers
    version, entry = _first(top, 1), _first(top, 2)
    if version is None or entry is None or version.wire != VARINT or version.value != 1:
        return False
    parts = _inner(wire, entry)
    if set(parts) != {1, 2} or not _matches(wire, parts[1], _WORD):
        return False
    value = _inner(wire, parts[2])
    return 1 in value and value[1].wire == VARINT and value[1].value == 1 and (2 not in value or value[2].wire == VARINT)


_FAMILIES = (
    ("onnx", _is_onnx),
    ("savedmodel", _is_savedmodel),
    ("paddle", _is_paddle),
    ("cntk", _is_cntk),
    ("coreml", _is_coreml),
)
