"""Where the record of runs lies."""

import os
from pathlib import Path
from urllib.parse import unquote

from hauberk.store.errors import StoreError

_SQLITE = "sqlite:///"


def default_path() -> Path:
    """`$XDG_DATA_HOME/hauberk/hauberk.db`."""
    home = os.environ.get("XDG_DATA_HOME", "")
    base = Path(home) if os.path.isabs(home) else Path.home() / ".local" / "share"
    return base / "hauberk" / "hauberk.db"


def sqlite_path(url: str) -> Path:
    """The file that `url` names: a path, `sqlite:///relative`, `sqlite:////absolute`, or "" for the default. Raises StoreError."""
    if not url:
        return default_path()
    if url.startswith(_SQLITE):
        path = unquote(url[len(_SQLITE) :])
        if not path:
            raise StoreError(f"{url!r} names no file; write sqlite:///hauberk.db")
        return Path(path)
    scheme, colon, _ = url.partition("://")
    if colon:
        if scheme in {"postgres", "postgresql"}:
            raise StoreError("PostgreSQL is not built into this version; name a file or sqlite:///path")
        raise StoreError(f"{scheme}:// is no store; name a file or sqlite:///path")
    return Path(url)
