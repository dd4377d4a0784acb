"""A directory as content: its files by relative name. What `repository` reads."""

from collections.abc import Mapping

from hauberk.core import Content


class Tree:
    """The files of a directory by POSIX relative name. `links` maps a symbolic link's name to its target as written."""

    __slots__ = ("files", "links", "truncated")

    def __init__(self, files: Mapping[str, Content], links: Mapping[str, str] | None = None, *, truncated: bool = False) -> None:
        self.files = files
        self.links = links or {}
        self.truncated = truncated

    @property
    def size(self) -> int:
        """A directory has no bytes of its own."""
        return 0

    def read(self, offset: int = 0, length: int = -1) -> bytes:
        """Always empty: read the files."""
        del offset, length
        return b""
