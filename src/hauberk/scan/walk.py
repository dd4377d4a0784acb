"""Walks what the user named, and inspects each file and each directory that is one thing."""

import os
from collections.abc import Iterator
from pathlib import Path

from hauberk.assets.budget import Budget, Limits
from hauberk.assets.content import FileContent
from hauberk.assets.tree import Tree
from hauberk.core import Asset, Finding, Gap, GapReason, Kind
from hauberk.detect import Bench
from hauberk.scan.inspect import Inspection


def inspect_path(path: Path, bench: Bench, limits: Limits | None = None) -> Iterator[Finding | Gap]:
    """Inspects a file, or a directory as a repository and each file below it."""
    if path.is_file():
        yield from _inspect_file(path, bench, limits)
        return
    files: dict[str, FileContent] = {}
    links: dict[str, str] = {}
    for folder, _, names in os.walk(path):
        for name in names:
            full = Path(folder, name)
            relative = full.relative_to(path).as_posix()
            if full.is_symlink():
                links[relative] = os.readlink(full)
            if full.is_file():
                files[relative] = FileContent(full)
    tree = Tree(files, links)
    asset = Asset(uri=str(path), kind=Kind.REPOSITORY, format="repository", name=path.name, content=tree)
    yield from Inspection(bench, Budget(limits)).run(asset)
    for relative, content in files.items():
        member = Asset(uri=f"{path}/{relative}", name=relative, content=content)
        yield from Inspection(bench, Budget(limits)).run(member)


def _inspect_file(path: Path, bench: Bench, limits: Limits | None) -> Iterator[Finding | Gap]:
    try:
        content = FileContent(path)
    except OSError as error:
        yield Gap(str(path), GapReason.UNREADABLE, f"cannot be opened: {error.strerror}")
        return
    with content:
        asset = Asset(uri=str(path), name=path.name, content=content)
        yield from Inspection(bench, Budget(limits)).run(asset)
