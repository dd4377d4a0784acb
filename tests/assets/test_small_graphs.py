"""Core ML, Paddle, MXNet, CNTK, TensorRT and RKNN: what can run, what points outside, what was not read."""

import base64
import json
import struct

import pytest

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.assets.identify import identify
from hauberk.assets.reading import reader_of
from hauberk.core import Asset, Fact, Gap


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def message(number: int, data: bytes | str) -> bytes:
    data = data.encode() if isinstance(data, str) else data
    return varint(number << 3 | 2) + varint(len(data)) + data


def scalar(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def items(name: str, data: bytes) -> list[Fact | Asset | Gap]:
    return list(reader_of(name)(Asset(uri="m", name="m", format=name, content=BytesContent(data)), Budget()))


def seen(name: str, data: bytes) -> list[tuple[str, str]]:
    return [(item.check, item.quote) for item in items(name, data) if isinstance(item, Fact)]


# --- Core ML
COREML = scalar(1, 5) + message(2, message(1, message(1, "x")))


def program(value: bytes) -> bytes:
    """An ML program with one operation that has `value` among its attributes."""
    operation = message(1, "const") + message(5, message(1, "val") + message(2, value))
    block = message(3, operation)
    function = message(3, message(1, "CoreML5") + message(2, block))
    return COREML + message(502, message(2, message(1, "main") + message(2, function)))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (COREML + message(500, message(1, message(1, "dense"))), []),
        (COREML + message(555, message(10, "Evil")), [("coreml.custom-class", "Evil")]),
        (COREML + message(500, message(1, message(1, "l") + message(500, message(10, "Evil")))), [("coreml.custom-class", "Evil")]),
        (COREML + message(202, message(1, COREML + message(555, message(10, "Evil")))), [("coreml.custom-class", "Evil")]),
        (COREML + message(200, message(1, message(1, COREML + message(555, message(10, "E"))))), [("coreml.custom-class", "E")]),
        (COREML + message(556, message(1, message(1, message(1, "../x.mlmodel")))), [("coreml.path", "../x.mlmodel")]),
        (
            COREML + message(556, message(1, message(1, message(1, "x.mlmodel")) + message(2, message(1, "a:/b")))),
            [("coreml.path", "/b")],
        ),
        (program(message(5, message(1, "@model_path/weights/weight.bin"))), []),
        (program(message(5, message(1, "@model_path/../../x"))), [("coreml.path", "../../x")]),
        (program(message(3, message(3, message(1, message(5, message(1, "/etc/passwd")))))), [("coreml.path", "/etc/passwd")]),
    ],
)
def test_coreml(data: bytes, found: list[tuple[str, str]]) -> None:
    assert seen("coreml", data) == found
    assert identify(BytesContent(data), "m.bin") == ("coreml",)


def test_coreml_without_version() -> None:
    with pytest.raises(ReadError):
        items("coreml", message(2, "x" * 20))


# --- Paddle
def operation(kind: str, **texts: str) -> bytes:
    return message(
        4, message(3, kind) + b"".join(message(4, message(1, k) + scalar(2, 2) + message(5, v)) for k, v in texts.items())
    )


def paddle(*operations: bytes) -> bytes:
    return message(1, scalar(1, 0) + scalar(2, (1 << 64) - 1) + b"".join(operations)) + message(4, scalar(1, 0))


@pytest.mark.parametrize(
    ("operations", "found"),
    [
        ((operation("feed"),), [("paddle.op", "feed")]),
        ((operation("py_func"),), [("paddle.op", "py_func")]),
        ((operation("save", file_path="/etc/cron.d/x"),), [("paddle.op", "save /etc/cron.d/x")]),
        ((operation("conv2d", op_callstack='File "a.py", line 1\n os.system("x")'),), [("paddle.op", "conv2d")]),
    ],
)
def test_paddle_program(operations: tuple[bytes, ...], found: list[tuple[str, str]]) -> None:
    assert seen("paddle", paddle(*operations)) == found
    assert identify(BytesContent(paddle(*operations)), "__model__") == ("paddle",)


def parameters(data: bytes, dims: int = 4) -> bytes:
    description = scalar(1, 5) + scalar(2, dims)
    return struct.pack("<IQI", 0, 0, 0) + struct.pack("<I", len(description)) + description + data


def test_paddle_parameters() -> None:
    data = parameters(struct.pack("<4f", 1, 2, 3, 4)) * 3
    assert identify(BytesContent(data.ljust(64, b"\0")), "m.pdiparams") == ("paddle",)
    assert items("paddle", data) == []


@pytest.mark.parametrize(
    "data", [parameters(b"\0" * 8), parameters(b"", 1 << 60), b"\0" * 16 + b"\xff" * 16, paddle()[:-3], b"\x08\x01" * 9]
)
def test_paddle_broken(data: bytes) -> None:
    with pytest.raises(ReadError):
        items("paddle", data)


def test_paddle_payload_in_a_parameter() -> None:
    assert [check for check, _ in seen("paddle", parameters(b"\x7fELF\x02\x01\x01".ljust(64, b"\0"), 16))] == ["graph.payload"]


# --- MXNet
def symbol(op: str = "Convolution", more: dict[str, object] | None = None, **attributes: str) -> bytes:
    nodes = [{"op": "null", "name": "data", "inputs": []}, {"op": op, "name": "n", "inputs": [[0, 0, 0]], "attrs": attributes}]
    return json.dumps({"nodes": nodes, "arg_nodes": [0], "heads": [[1, 0, 0]], **(more or {})}).encode()


def test_mxnet_symbol() -> None:
    assert identify(BytesContent(symbol()), "m-symbol.json") == ("mxnet",)
    assert seen("mxnet", symbol()) == [("mxnet.op", "Convolution")]
    assert seen("mxnet", symbol("Custom", op_type="evil")) == [("mxnet.op", "Custom evil")]
    hidden = base64.b64encode(b"__import__('os').system('id')   ").decode()
    assert ("graph.encoded-code", "__import__('os').system('id')") in seen("mxnet", symbol(note=hidden))
    assert ("mxnet.library", "./evil.so") in seen("mxnet", symbol(lib="./evil.so"))


@pytest.mark.parametrize("name", ["<A" * 700, "A" * 500, "a b", ""])
def test_cve_2022_24294_operator_names(name: str) -> None:
    assert [check for check, _ in seen("mxnet", symbol(name))] == ["mxnet.operator-name"]


@pytest.mark.parametrize(
    "more", [{"heads": [[7, 0, 0]]}, {"arg_nodes": [-1]}, {"arg_nodes": ["0"]}, {"nodes": [{"op": "null", "inputs": [[3]]}]}]
)
def test_mxnet_indices(more: dict[str, object]) -> None:
    assert "mxnet.index" in {check for check, _ in seen("mxnet", symbol(more=more))}


def arrays(count: int = 1, elements: int = 4, data: bytes = b"\0" * 16, names: tuple[bytes, ...] = (b"arg:w",)) -> bytes:
    array = struct.pack("<IiIqiii", 0xF993FAC9, 0, 1, elements, 1, 0, 0) + data
    listed = struct.pack("<Q", len(names)) + b"".join(struct.pack("<Q", len(n)) + n for n in names)
    return struct.pack("<QQQ", 0x112, 0, count) + array + listed


def test_mxnet_parameters() -> None:
    assert identify(BytesContent(arrays()), "m-0000.params") == ("mxnet",)
    assert items("mxnet", arrays()) == []
    assert [check for check, _ in seen("mxnet", arrays() + b"x" * 40)] == ["mxnet.trailing-data"]


@pytest.mark.parametrize("data", [arrays(1 << 40), arrays(elements=1 << 60), arrays(elements=-1), arrays(data=b""), arrays()[:-4]])
def test_mxnet_broken_parameters(data: bytes) -> None:
    with pytest.raises(ReadError):
        items("mxnet", data)


# --- CNTK
def entry(key: str, value: bytes) -> bytes:
    return message(2, message(1, key) + message(2, scalar(1, 1) + value))


CNTK = scalar(1, 1) + entry("version", scalar(2, 3) + scalar(5, 2))


def test_cntk() -> None:
    assert identify(BytesContent(CNTK), "m.bin") == ("cntk",)
    assert items("cntk", CNTK) == []
    inner = entry("root", scalar(2, 9) + message(14, scalar(1, 1) + entry("op", scalar(2, 8) + message(10, "UserFunction"))))
    assert seen("cntk", CNTK + inner) == [("cntk.name", "UserFunction")]
    assert ("cntk.library", "C:\\temp\\evil.dll") in seen(
        "cntk", CNTK + entry("module", scalar(2, 8) + message(10, "C:\\temp\\evil.dll"))
    )


def test_cntk_remainder_is_a_gap() -> None:
    found = items("cntk", CNTK + b" native_user_function\0/opt/evil.so\0")
    assert {item.reason for item in found if isinstance(item, Gap)} == {"unsupported"}
    assert [item.quote for item in found if isinstance(item, Fact)] == ["/opt/evil.so"]


# --- TensorRT, RKNN
def test_tensorrt() -> None:
    engine = b"ptrt" + bytes(range(256)) * 4
    assert [item.reason for item in items("tensorrt", engine) if isinstance(item, Gap)] == ["unsupported"]
    assert seen("tensorrt", engine) == []
    assert seen("tensorrt", engine + b"\x7fELF\x02\x01\x01".ljust(64, b"\0")) == [("tensorrt.embedded-program", "elf")]
    assert identify(BytesContent(engine), "m.bin") == ("tensorrt",)


def test_program_across_a_chunk_boundary() -> None:
    engine = b"ptrt".ljust((1 << 20) - 3, b"\1") + b"\x7fELF\x02\x01\x01".ljust(64, b"\0")
    assert seen("tensorrt", engine) == [("tensorrt.embedded-program", "elf")]


def test_long_words_cost_no_more_than_their_length() -> None:
    assert seen("tensorrt", b"ptrt" + b"a" * (2 << 20) + b".so") != []


def test_rknn() -> None:
    description = b'{"target": "rk3588"}'
    data = b"RKNN\0\0\0\0" + struct.pack("<QQ", 1, 32) + b"\1" * 32 + struct.pack("<Q", len(description)) + description
    members = [item for item in items("rknn", data) if isinstance(item, Asset)]
    assert [m.content.read() for m in members if m.content] == [description]
    assert [item.reason for item in items("rknn", data) if isinstance(item, Gap)] == ["unsupported"]
    with pytest.raises(ReadError):
        items("rknn", b"RKNN")


# --- recognition
@pytest.mark.parametrize(
    "data", [b"hello world, this is text\n" * 4, bytes(range(256)) * 8, b"\0" * 4096, b"\x0a\x05hello" * 100, b"\x08\x01" * 200]
)
def test_what_is_no_graph(data: bytes) -> None:
    assert not {"onnx", "savedmodel", "coreml", "paddle", "cntk"} & set(identify(BytesContent(data), "x.bin"))


@pytest.mark.parametrize("name", ["m.onnx", "m.pdmodel", "m.mlmodel", "m.tflite"])
def test_a_graph_by_name_that_is_none_is_malformed(name: str) -> None:
    (found,) = identify(BytesContent(b"os.system('ls')"), name)
    with pytest.raises(ReadError):
        items(found, b"os.system('ls')")
