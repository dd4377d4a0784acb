"""Strings that every encoder takes: file names on POSIX may hold bytes that are no text, kept as lone surrogates."""

from typing import Any, TypeVar, cast

import msgspec

T = TypeVar("T")


def well_formed_text(text: str) -> str:
    r"""`text` with each lone surrogate written as `\udcXX`, as `Finding.fingerprint` reads it too."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def well_formed(value: T) -> T:
    """`value` (structs, tuples, dicts, strings) with every string well formed; itself when it is so already."""
    try:
        msgspec.msgpack.encode(value)
    except UnicodeEncodeError:
        return _made_well(value)
    return value


def _made_well(value: Any) -> Any:
    if type(value) is str:
        return value if value.isascii() else well_formed_text(value)
    if isinstance(value, msgspec.Struct):
        names = value.__struct_fields__
        return type(value)(**{name: _made_well(getattr(value, name)) for name in names})
    if isinstance(value, tuple):
        return tuple(_made_well(item) for item in cast("tuple[Any, ...]", value))
    if isinstance(value, dict):
        return {_made_well(key): _made_well(item) for key, item in cast("dict[Any, Any]", value).items()}
    return value
