"""MXNet: symbols (a JSON graph) and parameters (a list of NDArrays)."""

import re
from collections.abc import Generator, Iterator
from typing import cast

from hauberk.assets.budget import Budget
from hauberk.assets.configs.json_bounded import parse_json
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Malformed, ReadError
from hauberk.assets.graphs.graph_text import bytes_facts, text_facts
from hauberk.assets.graphs.savedmodel_graph import is_outside
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Fact, Gap, GapReason

_LIST_MAGIC = b"\x12\x01\x00\x00\x00\x00\x00\x00"
_ARRAY_V1, _ARRAY_V2, _ARRAY_V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
_BYTES = {0: 4, 1: 8, 2: 2, 3: 1, 4: 4, 5: 1, 6: 8, 7: 1, 8: 2, 9: 2, 10: 4, 11: 8, 12: 2}
_OPERATOR = re.compile(r"[A-Za-z_][\w.:]{0,127}")
_MAX_NODES = 1_000_000


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts on a symbol or on parameters."""
    assert asset.content is not None
    if asset.content.read(0, 8) == _LIST_MAGIC:
        yield from _parameters(asset, budget)
        return
    if asset.content.size > budget.limits.text:
        raise ReadError(GapReason.TOO_LARGE, f"a symbol of {asset.content.size >> 20} MiB", check="json.too-large")
    document = parse_json(asset.content.read(), budget)
    if not isinstance(document, dict):
        raise Malformed("a symbol that is no JSON object", check="mxnet.malformed")
    yield from _symbol(cast("dict[str, object]", document), budget)


def _symbol(document: dict[str, object], budget: Budget) -> Iterator[Fact]:
    nodes = document.get("nodes")
    count = len(cast("list[object]", nodes)) if isinstance(nodes, list) else 0
    if count > _MAX_NODES:
        raise ReadError(GapReason.TOO_LARGE, f"{count} nodes")
    seen: set[tuple[str, str]] = set()
    for number, node in enumerate(cast("list[object]", nodes) if isinstance(nodes, list) else ()):
        budget.tick()
        if isinstance(node, dict):
            yield from _node(cast("dict[str, object]", node), number, count, seen)
        else:
            yield Fact("mxnet.malformed", "a node that is no object", where=f"node {number}", quote=quote(repr(node), 80))
    for key in ("arg_nodes", "heads"):
        yield from _indices(document.get(key), key, count)
    yield from _attributes(document.get("attrs"), "attrs")


def _node(node: dict[str, object], number: int, count: int, seen: set[tuple[str, str]]) -> Iterator[Fact]:
    where = f"node {number}"
    op = node.get("op")
    attributes = node.get("attrs", node.get("param", node.get("attr")))
    if not isinstance(op, str) or (op != "null" and not _OPERATOR.fullmatch(op)):
        note = "an operator name that no library registers; its text is put into error messages and patterns"
        yield Fact("mxnet.operator-name", note, where=where, quote=quote(op if isinstance(op, str) else repr(op), 80))
    else:
        kind = cast("dict[str, object]", attributes).get("op_type", "") if isinstance(attributes, dict) else ""
        key = (op, str(kind))
        if key not in seen and op != "null":
            seen.add(key)
            shown = f"{op} {quote(str(kind), 60)}".strip()
            yield Fact("mxnet.op", f"the operator {shown}", where=where, quote=shown, attrs={"op": op, "type": str(kind)})
    yield from _indices(node.get("inputs"), f"{where} inputs", count)
    yield from _attributes(cast("object", attributes), where)
    yield from _attributes({"name": node.get("name", "")}, where)


def _indices(value: object, where: str, count: int) -> Iterator[Fact]:
    for item in cast("list[object]", value) if isinstance(value, list) else ():
        first: object = cast("list[object]", item)[0] if isinstance(item, list) and item else cast("object", item)
        if not isinstance(first, int) or not 0 <= first < count:
            note = f"node {quote(repr(first), 20)} of {count}"
            yield Fact("mxnet.index", note, where=where, quote=quote(repr(first), 40))
            return


def _attributes(value: object, where: str) -> Iterator[Fact]:
    if not isinstance(value, dict):
        return
    for key, item in cast("dict[str, object]", value).items():
        text = item if isinstance(item, str) else ""
        yield from text_facts(text, f"{where} {quote(str(key), 60)}")
        if re.search(r"(?i)\.(?:so|dll|dylib)$", text) or (
            re.search(r"(?i)library|lib_path|path|file", str(key)) and is_outside(text)
        ):
            note = f"the attribute {quote(str(key), 40)} names the file {quote(text, 80)}"
            yield Fact("mxnet.library", note, where=where, quote=quote(text))


def _parameters(asset: Asset, budget: Budget) -> Iterator[Fact | Gap]:
    assert asset.content is not None
    cursor = Cursor(asset.content, 16)
    count = cursor.uint(8)
    if count > cursor.remaining // 8:
        raise Malformed(f"{count} arrays in {cursor.remaining} bytes", offset=16, check="mxnet.array-bounds")
    for number in range(count):
        budget.tick(64)
        if (yield from _array(asset, cursor, number)):
            yield Gap(
                asset.uri,
                GapReason.UNSUPPORTED,
                f"array {number} is sparse or of an old layout: it and what follows is not read",
                offset=cursor.offset,
            )
            return
    names = cursor.uint(8)
    if names > cursor.remaining // 8:
        raise Malformed(f"{names} names in {cursor.remaining} bytes", offset=cursor.offset, check="mxnet.array-bounds")
    for _ in range(names):
        length = cursor.uint(8)
        if length > 4096:
            raise Malformed(f"a name of {length} bytes", offset=cursor.offset, check="mxnet.array-bounds")
        cursor.skip(length)
    if cursor.remaining:
        head = asset.content.read(cursor.offset, 512)
        yield from bytes_facts(head, cursor.remaining, "behind the parameters", cursor.offset)
        note = f"{cursor.remaining} bytes follow the parameters"
        yield Fact("mxnet.trailing-data", note, offset=cursor.offset, where="end", quote=quote(head[:48], 80))


def _array(asset: Asset, cursor: Cursor, number: int) -> Generator[Fact, None, bool]:
    """Passes over one dense array; returns whether it is of a kind that is not read."""
    assert asset.content is not None
    start = cursor.offset
    magic = cursor.uint(4)
    if magic not in {_ARRAY_V1, _ARRAY_V2, _ARRAY_V3}:
        return True
    if magic != _ARRAY_V1 and cursor.sint(4) > 0:
        return True
    dimensions = cursor.uint(4)
    if dimensions > 64:
        raise Malformed(f"array {number} has {dimensions} dimensions", offset=start, check="mxnet.array-bounds")
    elements = 1
    for _ in range(dimensions):
        elements *= cursor.sint(8)
    if not dimensions and magic != _ARRAY_V3:
        return False
    cursor.skip(8)
    kind = cursor.sint(4)
    if kind not in _BYTES or not 0 <= elements < 1 << 50:
        raise Malformed(f"array {number} of type {kind} with {elements} elements", offset=start, check="mxnet.array-bounds")
    data, size = cursor.offset, elements * _BYTES[kind]
    cursor.skip(size)
    yield from bytes_facts(asset.content.read(data, min(512, size)), size, f"array {number}", data)
    return False
