"""What an expression of a Python program may be, as far as it can be told without running it."""

import ast
import base64
import binascii
import codecs
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

NOTHING: Any = object()
MAX_TEXT = 1 << 20
MAX_NUMBER = 1 << 40
NO_TAGS: frozenset[str] = frozenset()


class Value(NamedTuple):
    """A constant, a name of something imported, a function of this file, a sequence, or none of these.

    Tags tell where it came from: network, decoded, environ, secret, hidden (its name was computed), indirect (its name
    was looked up by a literal), socket.
    """

    const: Any = NOTHING
    ref: str = ""
    tags: frozenset[str] = NO_TAGS
    items: "tuple[Value, ...] | None" = None
    function: int = -1
    literal: bool = False  # the constant stands in the source as it is

    @property
    def text(self) -> str:
        """The constant as text, "" when it is none."""
        if isinstance(self.const, str):
            return self.const
        return self.const.decode("utf-8", "replace") if isinstance(self.const, bytes) else ""

    def tagged(self, *tags: str) -> "Value":
        """The same with more tags."""
        return self._replace(tags=self.tags | frozenset(tags))


UNKNOWN = Value()


def union(values: "list[Value]") -> frozenset[str]:
    """All tags of `values`."""
    found: frozenset[str] = NO_TAGS
    for value in values:
        if value.tags - found:
            found |= value.tags
    return found


def constant(value: object, tags: frozenset[str] = NO_TAGS, *, literal: bool = False) -> Value:
    """A constant, unless it is too large to carry about."""
    if isinstance(value, str | bytes) and len(value) > MAX_TEXT:
        return Value(tags=tags)
    if isinstance(value, int) and not -MAX_NUMBER < value < MAX_NUMBER:
        return Value(tags=tags)
    return Value(const=value, tags=tags, literal=literal)


_ARITHMETIC: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.BitXor: lambda a, b: a ^ b,
    ast.BitAnd: lambda a, b: a & b,
    ast.BitOr: lambda a, b: a | b,
    ast.FloorDiv: lambda a, b: a // b if b else 0,
    ast.Mod: lambda a, b: a % b if b else 0,
    ast.RShift: lambda a, b: a >> min(max(b, 0), 64),
    ast.LShift: lambda a, b: a << min(max(b, 0), 16),
}


def operated(operator: ast.operator, left: Value, right: Value) -> Value:
    """`left operator right`."""
    tags = left.tags | right.tags
    a, b = left.const, right.const
    if isinstance(a, int) and isinstance(b, int) and type(operator) in _ARITHMETIC:
        return constant(_ARITHMETIC[type(operator)](a, b), tags)
    if isinstance(operator, ast.Add):
        if isinstance(a, str) and isinstance(b, str):
            return constant(a + b, tags)
        if isinstance(a, bytes) and isinstance(b, bytes):
            return constant(a + b, tags)
        if left.items is not None and right.items is not None:
            return Value(items=(*left.items, *right.items)[:4096], tags=tags)
    if isinstance(operator, ast.Mult) and isinstance(a, str | bytes) and isinstance(b, int) and 0 <= b * len(a) <= MAX_TEXT:
        return constant(a * b, tags)
    if isinstance(operator, ast.Mod) and isinstance(a, str):
        return _formatted(a, right, tags)
    return Value(tags=tags)


def _formatted(pattern: str, right: Value, tags: frozenset[str]) -> Value:
    parts = pattern.split("%s")
    values = right.items if right.items is not None else (right,)
    tags |= union(list(values))
    if "%" in "".join(parts) or len(parts) != len(values) + 1:
        return constant(pattern, tags)  # near enough to be looked at as a command
    pieces = [parts[0]]
    for value, part in zip(values, parts[1:], strict=True):
        pieces += [_shown(value), part]
    return constant("".join(pieces), tags)


def _shown(value: Value) -> str:
    if isinstance(value.const, str | int | float):
        return str(value.const)
    return f"{{{value.ref}}}"


def joined(values: "list[Value]") -> Value:
    """The pieces of an f-string or path in one; what is not known stands in braces."""
    tags = union(values)
    if all(v.const is NOTHING for v in values):
        return Value(tags=tags)
    return constant("".join(_shown(v) for v in values), tags)


def _inflated(data: bytes) -> bytes:
    return zlib.decompressobj(47).decompress(data, MAX_TEXT)


def _rebased(function: Callable[[bytes], bytes]) -> Callable[[Any], bytes]:
    return lambda data: function(data.encode("ascii") if isinstance(data, str) else data)


_DECODE: dict[str, Callable[[Any], bytes]] = {
    "base64.b64decode": _rebased(base64.b64decode),
    "base64.standard_b64decode": _rebased(base64.b64decode),
    "base64.urlsafe_b64decode": _rebased(base64.urlsafe_b64decode),
    "base64.decodebytes": _rebased(base64.b64decode),
    "base64.b32decode": _rebased(base64.b32decode),
    "base64.b16decode": _rebased(base64.b16decode),
    "base64.b85decode": _rebased(base64.b85decode),
    "base64.a85decode": _rebased(base64.a85decode),
    "binascii.unhexlify": _rebased(binascii.unhexlify),
    "binascii.a2b_hex": _rebased(binascii.unhexlify),
    "binascii.a2b_base64": _rebased(binascii.a2b_base64),
    "builtins.bytes.fromhex": bytes.fromhex,
    "builtins.bytearray.fromhex": bytes.fromhex,
    "zlib.decompress": _inflated,
    "gzip.decompress": _inflated,
}
_CODECS = {"rot13": "rot13", "rot_13": "rot13", "hex": "hex", "base64": "base64", "utf-8": "utf-8", "utf8": "utf-8",
           "ascii": "ascii",
           "latin-1": "latin-1", "latin1": "latin-1", "utf-16": "utf-16", "utf-16-le": "utf-16-le"}  # fmt: skip


def decoded_constant(ref: str, values: "list[Value]") -> Any:
    """What a decoder makes of constants; NOTHING when it is not known or fails."""
    if not values or not isinstance(values[0].const, str | bytes):
        return NOTHING
    data = values[0].const
    try:
        if ref == "codecs.decode":
            codec = _CODECS.get(values[1].text.lower()) if len(values) > 1 else "utf-8"
            return codecs.decode(data, codec) if codec else NOTHING  # type: ignore[arg-type]
        decode = _DECODE.get(ref)
        return decode(data) if decode else NOTHING
    except (ValueError, TypeError, LookupError, zlib.error, EOFError, UnicodeError):
        return NOTHING


def method_of_constant(value: Any, name: str, values: "list[Value]") -> Any:
    """What a harmless method of a text or bytes makes of constants; NOTHING when it is not known."""
    arguments = [v.const for v in values]
    if any(a is NOTHING for a in arguments) and name != "join":
        return NOTHING
    try:
        if name == "join" and values and values[0].items is not None:
            pieces = [item.const for item in values[0].items]
            length = sum(len(piece) + len(value) for piece in pieces)
            return value.join(pieces) if length <= MAX_TEXT else NOTHING
        if name == "join" and values and isinstance(values[0].const, str) and isinstance(value, str):
            return value.join(values[0].const) if len(value) * len(values[0].const) <= MAX_TEXT else NOTHING
        if name == "decode" and isinstance(value, bytes):
            return value.decode(_CODECS.get(str(arguments[0]).lower(), "utf-8") if arguments else "utf-8")
        if name == "encode" and isinstance(value, str):
            return value.encode("utf-8")
        if name == "replace" and len(arguments) >= 2 and len(arguments[1]) <= 64:
            grown = len(value) + value.count(arguments[0]) * len(arguments[1])
            return value.replace(arguments[0], arguments[1]) if grown <= MAX_TEXT else NOTHING
        if name in {"strip", "lstrip", "rstrip", "lower", "upper", "swapcase", "title", "removeprefix", "removesuffix"}:
            return getattr(value, name)(*arguments)
        if name == "hex" and isinstance(value, bytes):
            return value.hex()
    except (ValueError, TypeError, AttributeError, LookupError, UnicodeError):
        return NOTHING
    return NOTHING
