"""The manifest of a model directory: every file's SHA-256, and every tensor's BLAKE3 leaf under a Merkle root.

It lies beside the weights as `hauberk.manifest.json`, is itself signed, and lets `verify` name the tensor that changed.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from hauberk.assets.content import FileContent
from hauberk.assets.identify import identify
from hauberk.assets.tensors.digest import Change, Leaf, compare, digest_file
from hauberk.assets.tensors.tensor_map import spans
from hauberk.scan.spool import TargetError

NAME = "hauberk.manifest.json"
SCHEMA = "hauberk.manifest/1"
LARGEST = 512 << 20  # a model of a million tensors has a manifest of about 200 MB


class FileEntry(msgspec.Struct, frozen=True):
    """One file. `path` is relative, with `/`; `root` and `leaves` are empty for a file without tensors."""

    path: str
    size: int
    sha256: str
    root: str = ""
    leaves: tuple[Leaf, ...] = ()


class Manifest(msgspec.Struct, frozen=True, tag_field="schema", tag=SCHEMA):
    """The files of a directory, in the order of their paths."""

    files: tuple[FileEntry, ...]

    @property
    def by_path(self) -> dict[str, FileEntry]:
        """The files by their paths."""
        return {entry.path: entry for entry in self.files}


class TensorChange(msgspec.Struct, frozen=True):
    """A tensor (no name: the bytes around the tensors) that differs: `how` is changed, added or missing."""

    path: str
    name: str
    how: str


def paths_of(folder: str, ignored: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    """Every file below `folder`, sorted, with whether it lies under one of `ignored`. Links count as files.

    Raises TargetError when a folder cannot be listed.
    """

    def fail(error: OSError) -> None:
        raise TargetError(f"{error.filename}: cannot be listed: {(error.strerror or str(error)).lower()}")

    for where, folders, names in os.walk(folder, onerror=fail):
        linked = [name for name in folders if os.path.islink(os.path.join(where, name))]
        folders[:] = sorted(set(folders) - set(linked))
        for name in sorted((*names, *linked)):
            path = os.path.relpath(os.path.join(where, name), folder).replace(os.sep, "/")
            yield path, is_under(path, ignored)


def is_under(path: str, folders: Iterable[str]) -> bool:
    """Whether `path` is one of `folders` or lies below one; all relative, with `/`."""
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def measure_file(folder: str, path: str, progress: Callable[[int], None] | None = None) -> FileEntry:
    """One read of one file for both kinds of hashes. Raises TargetError when it is a link or cannot be read."""
    full = os.path.join(folder, path)
    if os.path.islink(full):
        raise TargetError(f"{full}: is a symbolic link; a signature covers files: replace it by what it points to")
    try:
        with FileContent(full) as content:
            digest = digest_file(content, spans(content, identify(content, path)[0]), progress)
    except OSError as error:
        raise TargetError(f"{full}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    leaves = digest.leaves if digest.root else ()
    return FileEntry(path, digest.size, digest.sha256, digest.root, leaves)


def read_manifest(path: str | Path) -> Manifest:
    """The manifest in `path`. Raises TargetError."""
    try:
        if os.path.getsize(path) > LARGEST:
            raise TargetError(f"{path}: larger than any manifest")
        return msgspec.json.decode(Path(path).read_bytes(), type=Manifest)
    except OSError as error:
        raise TargetError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TargetError(f"{path}: not a manifest: {error}") from error


def write_manifest(manifest: Manifest, path: str | Path) -> None:
    """Writes `manifest`, whole or not at all. Raises TargetError."""
    temporary = Path(f"{path}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise TargetError(f"{path}: cannot be written: {(error.strerror or str(error)).lower()}") from error


def tensor_changes(base: FileEntry, now: FileEntry) -> list[TensorChange]:
    """Which tensors of a file differ from `base`; empty when either has none."""
    changes: list[Change] = compare(base.leaves, now.leaves) if base.leaves and now.leaves else []
    return [TensorChange(now.path, change.name, change.how) for change in changes]
