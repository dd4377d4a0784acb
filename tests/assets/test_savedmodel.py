"""TensorFlow graphs: which operations they hold, and who decides where those read and write."""

import pytest

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.assets.graphs.savedmodel import read
from hauberk.assets.graphs.savedmodel_graph import is_outside
from hauberk.assets.identify import identify
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


def const(name: str, *texts: str, packed: bool = False) -> bytes:
    values = message(4, "".join(texts)) if packed else b"".join(message(8, t) for t in texts)
    attributes = message(5, message(1, "dtype") + message(2, scalar(6, 7)))
    return (
        message(1, name)
        + message(2, "Const")
        + attributes
        + message(5, message(1, "value") + message(2, message(8, scalar(1, 7) + values)))
    )


def node(name: str, op: str, inputs: str = "", calls: str = "", **texts: str) -> bytes:
    data = message(1, name) + message(2, op) + b"".join(message(3, i) for i in inputs.split())
    data += b"".join(message(5, message(1, k) + message(2, message(2, v))) for k, v in texts.items())
    return data + (message(5, message(1, "f") + message(2, message(10, message(1, calls)))) if calls else b"")


def graph(*nodes: bytes, functions: tuple[bytes, ...] = ()) -> bytes:
    return b"".join(message(1, n) for n in nodes) + (message(2, b"".join(message(1, f) for f in functions)) if functions else b"")


def function(name: str, arguments: str, *nodes: bytes) -> bytes:
    signature = message(1, name) + b"".join(message(2, message(1, a)) for a in arguments.split())
    return message(1, signature) + b"".join(message(3, n) for n in nodes)


def saved(of: bytes, more: bytes = b"") -> bytes:
    return scalar(1, 1) + message(2, message(1, message(4, "serve")) + message(2, of) + more)


def items(data: bytes, name: str = "saved_model.pb") -> list[Fact | Asset | Gap]:
    return list(read(Asset(uri="m", name=name, format="savedmodel", content=BytesContent(data)), Budget()))


def paths(data: bytes, name: str = "saved_model.pb") -> dict[str, str]:
    """How each operation that is given a text comes by it."""
    found = [item for item in items(data, name) if isinstance(item, Fact) and item.check == "tf.op"]
    return {str(f.attrs["op"]): str(f.attrs["path"]) for f in found if f.attrs["path"]}


@pytest.mark.parametrize(
    ("reach", "nodes"),
    [
        ("outside", (const("p", "/etc/passwd"), node("r", "ReadFile", "p"))),
        ("outside", (const("p", "/etc/passwd", packed=True), node("r", "ReadFile", "p"))),
        ("outside", (const("p", "../../x"), node("i", "Identity", "p"), node("r", "ReadFile", "i:0"))),
        (
            "outside",
            (const("p", "gs://bucket/x"), node("i", "Placeholder"), node("j", "StringJoin", "p i"), node("r", "ReadFile", "j")),
        ),
        ("constant", (const("a", "etc"), const("b", "passwd"), node("j", "StringJoin", "a b"), node("r", "ReadFile", "j"))),
        ("constant", (const("a", "L2V0Yw"), node("d", "DecodeBase64", "a"), node("r", "ReadFile", "d"))),
        ("input", (node("p", "Placeholder"), node("r", "ReadFile", "p"))),
        ("default", (const("p", "model"), node("d", "PlaceholderWithDefault", "p"), node("r", "ReadFile", "d"))),
        ("outside", (const("p", "/etc/x"), node("d", "PlaceholderWithDefault", "p"), node("r", "ReadFile", "d"))),
        ("nothing", (node("r", "ReadFile", "^p"),)),
    ],
)
@pytest.mark.parametrize("wrapped", ["savedmodel", "metagraph", "graph"])
def test_where_a_path_comes_from(reach: str, nodes: tuple[bytes, ...], wrapped: str) -> None:
    bare = graph(*nodes)
    data = {"savedmodel": saved(bare), "metagraph": message(1, message(4, "serve")) + message(2, bare), "graph": bare}[wrapped]
    assert paths(data, "m.pb")["ReadFile"] == reach
    assert identify(BytesContent(data), "m.pb") == ("savedmodel",)


def test_path_is_followed_into_a_called_function() -> None:
    body = function("inner", "where", node("d", "TextLineDataset", "where"))
    data = saved(graph(const("p", "/etc/shadow"), node("c", "PartitionedCall", "p", calls="inner"), functions=(body,)))
    assert paths(data)["TextLineDataset"] == "outside"


def test_path_is_followed_through_a_condition() -> None:
    body = function("then", "where", node("w", "WriteFile", "where where"))
    data = saved(graph(const("p", "/tmp/x"), node("c", "Placeholder"), node("i", "If", "c p", calls="then"), functions=(body,)))
    assert paths(data)["WriteFile"] == "outside"


def test_function_without_a_caller_is_called_by_whoever_runs_the_model() -> None:
    assert paths(saved(graph(functions=(function("f", "x", node("r", "RestoreV2", "x")),))))["RestoreV2"] == "input"


def test_functions_that_call_each_other_end() -> None:
    first = function("a", "x", node("c", "PartitionedCall", "x", calls="b"), node("r", "ReadFile", "x"))
    second = function("b", "x", node("c", "PartitionedCall", "x", calls="a"))
    assert paths(saved(graph(functions=(first, second))))["ReadFile"] == "nothing"


def test_usual_savers_are_told_by_their_caller() -> None:
    joined = (const("t", "_temp/part"), node("j", "StringJoin", "file_prefix t"))
    second = function("__inference__traced_save_1", "file_prefix", *joined,
                      node("s", "ShardedFilename", "j"), node("v", "SaveV2", "s"))  # fmt: skip
    first = (const("c", "model"), node("f", "PlaceholderWithDefault", "c"), node("v", "SaveV2", "f"))
    caller = node("c", "StatefulPartitionedCall", "f", calls="__inference__traced_save_1")
    assert set(paths(saved(graph(node("f", "Placeholder"), caller, functions=(second,)))).values()) == {"input"}
    assert paths(saved(graph(*first)))["SaveV2"] == "default"
    older = saved(graph(const("save/Const", "model"), node("v", "SaveV2", "save/Const")), message(3, message(1, "save/Const:0")))
    assert paths(older)["SaveV2"] == "input"


def test_asset_is_replaced_by_the_loader() -> None:
    of = graph(const("vocab", "/home/author/vocab.txt"), node("t", "InitializeTableFromTextFileV2", "h vocab"))
    assert paths(saved(of))["InitializeTableFromTextFileV2"] == "outside"
    assert (
        paths(saved(of, message(6, message(1, message(1, "vocab:0")) + message(2, "vocab.txt"))))["InitializeTableFromTextFileV2"]
        == "asset"
    )


def test_attribute_that_names_a_file() -> None:
    assert paths(saved(graph(node("p", "PrintV2", output_stream="file:///tmp/x"))))["PrintV2"] == "outside"
    assert "PrintV2" not in paths(saved(graph(const("t", "/x"), node("p", "PrintV2", "t", output_stream="stderr"))))


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../b", "C:\\x", "x\0y"])
def test_asset_path_outside(name: str) -> None:
    data = saved(graph(node("x", "Placeholder")), message(6, message(1, message(1, "x:0")) + message(2, name)))
    assert "tf.asset-path" in {item.check for item in items(data) if isinstance(item, Fact)}


@pytest.mark.parametrize("text", ["model", "_temp_1f/part", "vocab.txt", "^s3://.*", "", "/", "a..b"])
def test_inside(text: str) -> None:
    assert not is_outside(text)


def test_keras_metadata_is_handed_on() -> None:
    layer = message(4, "_tf_keras_layer") + message(5, '{"class_name": "Lambda"}')
    data = message(1, message(4, "_tf_keras_network") + message(5, '{"class_name": "Functional"}')) + message(1, layer)
    assert identify(BytesContent(data), "keras_metadata.pb") == ("savedmodel",)
    members = [item for item in items(data, "keras_metadata.pb") if isinstance(item, Asset)]
    assert [m.format for m in members] == ["keras_config", "keras_config"]
    assert members[1].content is not None
    assert members[1].content.read() == b'{"class_name": "Lambda"}'


def test_what_stands_before_a_break_is_judged() -> None:
    seen: list[str] = []
    data = saved(graph(node("p", "PyFunc"))) + b"\x12\xff\xff\xff\xff\x0f"
    with pytest.raises(ReadError) as raised:
        seen.extend(
            str(item.attrs["op"])
            for item in read(Asset(uri="m", name="saved_model.pb", content=BytesContent(data)), Budget())
            if isinstance(item, Fact)
        )
    assert raised.value.check == "protobuf.length"
    first = next(iter(read(Asset(uri="m", name="saved_model.pb", content=BytesContent(data)), Budget())))
    assert isinstance(first, Fact)
    assert first.attrs["op"] == "PyFunc"


def test_checkpoint_files_are_quiet() -> None:
    table = b"\0" * 40 + b"\x00\x08\x00\x08".ljust(40, b"\0") + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
    assert identify(BytesContent(table), "variables.index") == ("savedmodel",)
    assert items(table, "variables.index") == []
    weights = bytes(range(1, 200))
    assert identify(BytesContent(weights), "variables.data-00000-of-00001") == ("savedmodel",)
    assert items(weights, "variables.data-00000-of-00001") == []


def test_checkpoint_table_out_of_bounds() -> None:
    table = b"\0" * 40 + b"\xf0\x7f\x08\x00\x08".ljust(40, b"\0") + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
    assert [i.check for i in items(table, "variables.index") if isinstance(i, Fact)] == ["tf.checkpoint-bounds"]
