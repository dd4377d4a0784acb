"""Code carried by a Keras configuration: base64 marshal in Lambda layers, torch modules; handed on, never loaded."""

import binascii
import re
from collections.abc import Iterator
from typing import cast

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Fact, Gap, GapReason

Item = Fact | Asset | Gap

_CODE_BYTES = (0x63, 0xE3)  # marshal's `c`, without and with its reference flag


def code_members(asset: Asset, node: object, where: str, key: str, budget: Budget) -> Iterator[Item]:
    """The code at this node: v3 `{code: …}`, a torch module, or v2 `[code, defaults, closure]` under `key`."""
    if isinstance(node, dict):
        node = cast("dict[str, object]", node)
        code = node.get("code")
        if isinstance(code, str):
            yield from _code(asset, code, f"{where}.code", budget, certain="defaults" in node or "closure" in node)
        function = node.get("function")
        if isinstance(function, str) and not function.replace(".", "").isidentifier():
            yield from _code(asset, function, f"{where}.function", budget, certain="lambda" in function or len(function) > 60)
        if node.get("class_name") == "__torch_module__" and isinstance(node.get("config"), str):
            yield from torch_member(asset, str(node["config"]), f"{where}.config")
    elif isinstance(node, list):
        node = cast("list[object]", node)
        if node and len(node) <= 3 and isinstance(node[0], str) and (certain := key == "function" or _is_code(node[0])):
            yield from _code(asset, node[0], f"{where}[0]", budget, certain=certain)


def _is_code(text: str) -> bool:
    data = decode_base64(text[:64] if len(text) > 64 else text)
    return len(data) > 24 and data[0] in _CODE_BYTES and data[2:5] == b"\x00\x00\x00"


def _code(asset: Asset, text: str, where: str, budget: Budget, *, certain: bool) -> Iterator[Item]:
    data = decode_base64(text)
    if _is_prose(text):
        data = text.encode("utf-8", "replace")
    if data and data[0] in _CODE_BYTES and len(data) > 24:
        note = "a Lambda carries Python bytecode, which loading turns into a function"
        yield Fact("keras.lambda", note, where=where, quote=quote(text, 60), attrs={"size": len(data)})
        yield asset.child(where, BytesContent(data), format="marshal")
    elif not certain or 0 < len(data) < 12:
        return
    elif data and _is_source(data):
        yield Fact("keras.lambda-source", "source text where Keras expects bytecode", where=where, quote=quote(data, 80))
        member = asset.child(f"{where}.py", BytesContent(data), format="python")
        yield member
        yield from _source_calls(member, where, budget)
    elif data:
        yield Fact("keras.lambda", "a Lambda carries code", where=where, quote=quote(text, 60), attrs={"size": len(data)})
        yield asset.child(where, BytesContent(data))
        yield Gap(asset.uri, GapReason.UNDECIDED, f"code at {where} is no marshalled code object that can be read")
    elif len(text) > 16:
        yield Gap(asset.uri, GapReason.UNDECIDED, f"code at {where} is not base64")


def _source_calls(member: Asset, where: str, budget: Budget) -> Iterator[Fact]:
    """What a Lambda's source calls: unlike a function in a module, its body is what the model runs."""
    from hauberk.assets.source.python_source import read

    for item in read(member, budget):
        if isinstance(item, Fact) and item.check == "code.call":
            attrs = {**item.attrs, "container": "marshal", "how": "global"}
            yield Fact("keras.source-call", item.note, where=where, quote=item.quote, attrs=attrs)


def torch_member(asset: Asset, text: str, where: str) -> Iterator[Item]:
    """A base64 `torch.save` stream, which the wrapper layer loads with `weights_only=False`."""
    data = decode_base64(text)
    if len(data) < 8 or not (data[0] == 0x80 or data[:2] == b"PK" or data[-1:] == b"."):
        return
    note = "a serialised torch module, which Keras unpickles without restriction"
    yield Fact("keras.torch-module", note, where=where, quote=quote(text, 60), attrs={"size": len(data)})
    yield asset.child(where, BytesContent(data))


def _is_prose(text: str) -> bool:
    """Whether text is source as it stands: base64 has neither brackets nor blanks within a line."""
    return any(mark in text for mark in "():[]'\"") or "lambda " in text


def _is_source(data: bytes) -> bool:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(c.isprintable() or c in "\r\n\t" for c in text)


def decode_base64(text: str) -> bytes:
    """The bytes of `text` as Keras decodes them: characters outside the alphabet are passed over. b"" when there are none."""
    letters = re.sub(r"[^A-Za-z0-9+/=]", "", text)
    try:
        return binascii.a2b_base64(letters + "=" * (-len(letters) % 4))
    except (binascii.Error, ValueError):
        return b""
