"""Strings that a stream computes: the pure functions it may use, done here on bounded input with bounded output."""

import base64
import binascii
import bz2
import codecs
import lzma
import zlib
from collections.abc import Callable
from typing import Final

from hauberk.assets.pickle.values import Value, members_of

Compute = Callable[[tuple[Value, ...]], "str | bytes | None"]
_LIMIT: Final = 1 << 20
_CODECS: Final = frozenset(
    {"rot13", "rot_13", "hex", "hex_codec", "base64", "base64_codec", "latin1", "latin-1", "utf-8", "utf8", "ascii", "zlib", "zip"}
    | {"utf-16", "utf-32", "iso-8859-1", "unicode_escape", "raw_unicode_escape", "uu", "bz2", "quopri"}
)
_INFLATED: Final = frozenset({"zlib", "zip", "bz2"})


def _guarded(compute: Compute) -> Compute:
    def run(args: tuple[Value, ...]) -> "str | bytes | None":
        if not args or any(isinstance(arg, str | bytes) and len(arg) > _LIMIT for arg in args):
            return None
        try:
            return compute(args)
        except (ValueError, TypeError, IndexError, LookupError, OverflowError, EOFError, OSError, zlib.error, lzma.LZMAError):
            return None

    return run


def _raw(value: Value) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("latin-1")
    raise TypeError


def _code(encode: bool) -> Compute:  # noqa: FBT001 - one function, two directions
    def run(args: tuple[Value, ...]) -> "str | bytes | None":
        if not args:
            return None
        value, *rest = args
        name = rest[0] if rest and isinstance(rest[0], str) else "utf-8"
        if name.lower().replace(" ", "") not in _CODECS or not isinstance(value, str | bytes):
            return None
        if not encode and name.lower() in _INFLATED:
            return _inflate(_raw(value)) if name.lower() != "bz2" else _unbz2(_raw(value))
        result = codecs.encode(value, name) if encode else codecs.decode(value, name)  # type: ignore[arg-type]
        return result if isinstance(result, str | bytes) else None

    return run


def _inflate(data: bytes, window: int = 15) -> bytes:
    return zlib.decompressobj(window).decompress(data, _LIMIT)


def _unbz2(data: bytes) -> bytes:
    return bz2.BZ2Decompressor().decompress(data, _LIMIT)


def _unxz(data: bytes) -> bytes:
    return lzma.LZMADecompressor(memlimit=1 << 27).decompress(data, _LIMIT)


def _add(args: tuple[Value, ...]) -> "str | bytes | None":
    left, right = args[0], args[1]
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    return left + right if isinstance(left, bytes) and isinstance(right, bytes) else None


def _of_bytes(compute: Callable[[bytes], "str | bytes"]) -> Compute:
    return _guarded(lambda args: compute(_raw(args[0])))


def _string(args: tuple[Value, ...]) -> "str | bytes | None":
    value = args[0]
    if isinstance(value, str):
        return value
    if isinstance(value, bytes) and len(args) > 1:
        return _code(encode=False)(args)
    return str(value) if isinstance(value, int) and value.bit_length() < 256 else None


def _bytes(args: tuple[Value, ...]) -> "str | bytes | None":
    value = args[0]
    if isinstance(value, bytes):
        return value
    if isinstance(value, str) and len(args) > 1:
        return _code(encode=True)(args)
    numbers = members_of(value) or []
    kept = [number for number in numbers if isinstance(number, int)]
    return bytes(kept) if kept and len(kept) == len(numbers) else None


def _character(args: tuple[Value, ...]) -> "str | None":
    return chr(args[0]) if isinstance(args[0], int) else None


PURE: dict[str, Compute] = {
    "codecs.encode": _guarded(_code(encode=True)),
    "codecs.decode": _guarded(_code(encode=False)),
    "builtins.str": _guarded(_string),
    "builtins.bytes": _guarded(_bytes),
    "builtins.bytearray": _guarded(_bytes),
    "builtins.chr": _guarded(_character),
    "builtins.bytes.fromhex": _guarded(lambda args: bytes.fromhex(args[0]) if isinstance(args[0], str) else None),
    "builtins.bytearray.fromhex": _guarded(lambda args: bytes.fromhex(args[0]) if isinstance(args[0], str) else None),
    "operator.add": _guarded(_add),
    "operator.concat": _guarded(_add),
    "operator.iadd": _guarded(_add),
    "binascii.unhexlify": _of_bytes(binascii.unhexlify),
    "binascii.a2b_hex": _of_bytes(binascii.unhexlify),
    "binascii.a2b_base64": _of_bytes(binascii.a2b_base64),
    "base64.b64decode": _of_bytes(base64.b64decode),
    "base64.standard_b64decode": _of_bytes(base64.b64decode),
    "base64.urlsafe_b64decode": _of_bytes(base64.urlsafe_b64decode),
    "base64.b32decode": _of_bytes(base64.b32decode),
    "base64.b16decode": _of_bytes(base64.b16decode),
    "base64.b85decode": _of_bytes(base64.b85decode),
    "base64.a85decode": _of_bytes(base64.a85decode),
    "base64.decodebytes": _of_bytes(base64.decodebytes),
    "zlib.decompress": _of_bytes(_inflate),
    "gzip.decompress": _of_bytes(lambda data: _inflate(data, 31)),
    "bz2.decompress": _of_bytes(_unbz2),
    "lzma.decompress": _of_bytes(_unxz),
}


def method_of(owner: str | bytes, name: str) -> Compute | None:
    """A pure method of a constant string, as a function of its arguments."""
    if name in {"decode", "encode"}:
        return _guarded_any(lambda args: _code(encode=name == "encode")((owner, *args)))
    if name == "join":
        return _guarded(lambda args: _join(owner, args[0]))
    if name == "replace":
        return _guarded(lambda args: _replace(owner, args))
    if name in {"lower", "upper", "strip", "title", "swapcase", "casefold", "capitalize", "lstrip", "rstrip"}:
        return _guarded_any(lambda args: getattr(owner, name)() if not args else None)
    if name in {"__add__", "format", "__getitem__"}:
        return _guarded(lambda args: _add((owner, *args)) if name == "__add__" else None)
    return None


def _guarded_any(compute: Compute) -> Compute:
    inner = _guarded(lambda args: compute(args[1:]))
    return lambda args: inner(("", *args))


def _join(owner: str | bytes, parts: Value) -> "str | bytes | None":
    items: list[Value] = list(parts) if isinstance(parts, str) else members_of(parts) or []
    if isinstance(owner, str):
        texts = [item for item in items if isinstance(item, str)]
        return owner.join(texts) if len(texts) == len(items) else None
    chunks = [item for item in items if isinstance(item, bytes)]
    return owner.join(chunks) if len(chunks) == len(items) else None


def _replace(owner: str | bytes, args: tuple[Value, ...]) -> "str | bytes | None":
    old, new = args[0], args[1]
    if isinstance(owner, str) and isinstance(old, str) and isinstance(new, str) and old and len(new) < 64:
        return owner.replace(old, new)
    return None
