"""Symbolic links of a model directory: those that lead out of it hand the loader a file of the host."""

import posixpath
import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.quoting import quote
from hauberk.assets.tree import Tree
from hauberk.core import Asset, Fact

_BLOB = re.compile(r"(?:\.\./){1,8}blobs/[0-9a-f]{40,64}")  # the Hugging Face cache: snapshots/<commit>/x -> ../../blobs/<hash>


def links(asset: Asset, tree: Tree, budget: Budget) -> Iterator[Fact]:
    """Links that leave the directory."""
    del asset
    for name, target in tree.links.items():
        budget.tick()
        if _BLOB.fullmatch(target):
            continue
        resolved = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
        absolute = target.startswith("/") or re.match(r"[A-Za-z]:[\\/]", target) is not None
        if absolute or resolved == ".." or resolved.startswith("../"):
            note = f"{quote(name, 80)} is a link to {quote(target, 80)}, outside the directory"
            yield Fact("repository.link-outside", note, where=name, quote=quote(target), attrs={"path": name, "absolute": absolute})
