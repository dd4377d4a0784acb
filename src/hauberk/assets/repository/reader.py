"""A directory read as one thing: what its files say of one another. Each file's own content is judged by its own reader."""

from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.graphs.onnx_external import external_files
from hauberk.assets.repository.code import code_files
from hauberk.assets.repository.config import configured
from hauberk.assets.repository.git import git_files
from hauberk.assets.repository.links import links
from hauberk.assets.repository.oci import image_layout
from hauberk.assets.repository.shards import shards
from hauberk.assets.repository.tokenizer import tokenizers
from hauberk.assets.tree import Tree
from hauberk.core import Asset, Fact, Gap, GapReason

_LOOKS = (links, git_files, code_files, shards, configured, tokenizers, image_layout, external_files)


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts across the files of a directory; attribute `path` says which file one is about."""
    tree = asset.content
    assert isinstance(tree, Tree)
    if tree.truncated:
        yield Gap(asset.uri, GapReason.TOO_LARGE, "not every file of the directory was listed")
    for look in _LOOKS:
        budget.check_time()
        yield from look(asset, tree, budget)
