"""Bodies and headers of requests."""

from collections.abc import Callable
from typing import Any

import msgspec

from hauberk.core.wellformed import well_formed_text
from hauberk.probe.targets.credentials import Credentials


def expanded_headers(headers: dict[str, str], credentials: Credentials) -> dict[str, str]:
    """`headers` with lower-case names and credentials put in. Raises TargetError (SETUP)."""
    return {name.lower(): credentials.expanded(value) for name, value in headers.items()}


def encoded(value: object) -> bytes:
    """JSON. Lone surrogates, which no UTF-8 may hold, are written out."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_written_out(value))


def _written_out(value: Any) -> Any:
    made: Callable[[Any], Any] = _written_out
    if isinstance(value, str):
        return well_formed_text(value)
    if isinstance(value, dict):
        return {made(key): made(inner) for key, inner in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [made(inner) for inner in value]  # pyright: ignore[reportUnknownVariableType]
    return value
