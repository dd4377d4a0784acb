"""Walks what the user named: every file once, and every directory that is one thing (a unit)."""

import fnmatch
import os
import stat
from collections.abc import Callable, Iterable

import msgspec

from hauberk.core import Gap, GapReason

# A directory that holds one of these is a repository of its own, wherever it lies.
MARKS = frozenset(
    {
        "config.json", "saved_model.pb", "model_index.json", "tokenizer_config.json", "adapter_config.json", "MLmodel",
        "oci-layout", "configuration.json", "model.safetensors.index.json", "pytorch_model.bin.index.json", "modules.json",
        "_CHECKPOINT_METADATA", ".git", "MAR-INF", "params.json", "Modelfile",
    }
)  # fmt: skip


class Entry(msgspec.Struct, frozen=True):
    """One file to look at. `path` is opened; `uri` is shown; `unit` is the uri of the directory it belongs to."""

    path: str
    uri: str
    name: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: tuple[int, int]
    allocated: int  # bytes on disk; less than `size` for a sparse file
    unit: str = ""


class Unit(msgspec.Struct, frozen=True):
    """A directory read as one thing: its files by POSIX relative name, its symbolic links with their targets."""

    path: str
    uri: str
    files: dict[str, str]
    links: dict[str, str]


class _Open:
    """A unit that is being filled."""

    def __init__(self, path: str, uri: str, *, marked: bool) -> None:
        self.path, self.uri, self.marked = path, uri, marked
        self.files: dict[str, str] = {}
        self.links: dict[str, str] = {}


class Walker:
    """Walks targets. `entries` and `units` grow as it goes; what cannot be looked at is in `gaps`."""

    def __init__(self, exclude: Iterable[str] = (), leave: Callable[[str], bool] | None = None) -> None:
        """`exclude` are globs over names and relative paths; `leave` says of a file's name whether to leave it out."""
        self.exclude = tuple(exclude)
        self.leave = leave
        self.entries: list[Entry] = []
        self.units: list[Unit] = []
        self.gaps: list[Gap] = []
        self.excluded = 0
        self._root = ""
        self._directories: set[tuple[int, int]] = set()
        self._seen: set[tuple[tuple[int, int], str]] = set()

    def add(self, path: str, uri: str | None = None) -> None:
        """Walks `path`, a file or a directory, shown as `uri`. What cannot be read becomes a Gap."""
        uri = path if uri is None else uri
        try:
            status = os.stat(path)
        except OSError as error:
            self._gap(uri, GapReason.UNREADABLE, _reason(error))
            return
        if stat.S_ISDIR(status.st_mode):
            self._root = os.path.realpath(path)
            unit = _Open(path, uri.rstrip("/") or "/", marked=_is_marked(path))
            self._directory(path, unit.uri, unit, status)
            self._close(unit)
        else:
            self._file(path, uri, os.path.basename(path), status, None)

    def _close(self, unit: _Open) -> None:
        self.units.append(Unit(unit.path, unit.uri, unit.files, unit.links))

    def _gap(self, uri: str, reason: GapReason, note: str) -> None:
        self.gaps.append(Gap(uri, reason, note, kind="file", root=uri))

    def _directory(self, path: str, uri: str, unit: _Open, status: os.stat_result) -> None:
        # Depth-first with a stack of our own: a tree may be deeper than Python's.
        stack: list[tuple[str, str, _Open, os.stat_result]] = [(path, uri, unit, status)]
        nested: list[_Open] = []
        while stack:
            path, uri, unit, status = stack.pop()
            identity = (status.st_dev, status.st_ino)
            if identity in self._directories:
                continue  # a loop, or named twice
            self._directories.add(identity)
            try:
                with os.scandir(path) as found:
                    children = sorted(found, key=lambda e: e.name)
            except OSError as error:
                self._gap(uri, GapReason.UNREADABLE, _reason(error))
                continue
            names = {child.name for child in children}
            if not unit.marked and path != unit.path and names & MARKS:
                unit = _Open(path, uri, marked=True)
                nested.append(unit)
            below = [b for child in children if (b := self._child(child, uri, unit)) is not None]
            stack.extend(reversed(below))
        for unit in nested:
            self._close(unit)

    def _child(self, child: os.DirEntry[str], uri: str, unit: _Open) -> tuple[str, str, _Open, os.stat_result] | None:
        path, child_uri = child.path, f"{uri}/{child.name}"
        relative = path[len(unit.path) :].lstrip("/")
        if self._is_excluded(relative, child.name) or (self.leave and self.leave(child.name) and not child.is_dir()):
            self.excluded += 1
            return None
        try:
            if child.is_symlink():
                unit.links[relative] = os.readlink(path)
                if child.is_dir():
                    return self._linked_directory(path, child_uri)
            status = child.stat()
        except OSError as error:
            self._gap(child_uri, GapReason.ABSENT if child.is_symlink() else GapReason.UNREADABLE, _reason(error))
            return None
        if stat.S_ISDIR(status.st_mode):
            return path, child_uri, unit, status
        self._file(path, child_uri, child.name, status, unit)
        return None

    def _linked_directory(self, path: str, uri: str) -> None:
        # What a link points to inside the tree is walked where it lies; outside, a loader would follow it and we do not.
        target = os.path.realpath(path)
        if target != self._root and not target.startswith(self._root + os.sep):
            self._gap(
                uri, GapReason.NOT_REQUESTED, "a link to a directory outside the scanned tree is not followed; name it to scan it"
            )

    def _is_excluded(self, relative: str, name: str) -> bool:
        return any(fnmatch.fnmatch(relative, glob) or fnmatch.fnmatch(name, glob) for glob in self.exclude)

    def _file(self, path: str, uri: str, name: str, status: os.stat_result, unit: _Open | None) -> None:
        if not stat.S_ISREG(status.st_mode):
            self._gap(uri, GapReason.UNREADABLE, f"is a {_special(status.st_mode)}, which is never read")
            return
        identity = (status.st_dev, status.st_ino)
        if unit is not None:
            unit.files[path[len(unit.path) :].lstrip("/")] = path
        if (identity, uri) in self._seen:
            return
        self._seen.add((identity, uri))
        self.entries.append(
            Entry(
                path=path,
                uri=uri,
                name=name,
                size=status.st_size,
                mtime_ns=status.st_mtime_ns,
                ctime_ns=status.st_ctime_ns,
                inode=identity,
                allocated=status.st_blocks * 512,
                unit=unit.uri if unit else "",
            )
        )


def _is_marked(path: str) -> bool:
    try:
        with os.scandir(path) as found:
            return any(child.name in MARKS for child in found)
    except OSError:
        return False


def _reason(error: OSError) -> str:
    return (error.strerror or "cannot be read").lower()


def _special(mode: int) -> str:
    for test, word in (
        (stat.S_ISBLK, "block device"),
        (stat.S_ISCHR, "character device"),
        (stat.S_ISFIFO, "named pipe"),
        (stat.S_ISSOCK, "socket"),
    ):
        if test(mode):
            return word
    return "special file"
