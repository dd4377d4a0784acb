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


def is_postgres(url: str) -> bool:
    """Whether `url` names a PostgreSQL database."""
    return url.startswith(("postgresql://", "postgres://"))


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
        raise StoreError(f"{scheme}:// is no store; name a file, sqlite:///path or postgresql://host/database")
    return Path(url)
