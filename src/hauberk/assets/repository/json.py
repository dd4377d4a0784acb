"""Small JSON files of a directory, parsed within bounds for what they say of other files."""

import json
import posixpath

from hauberk.assets.budget import Budget
from hauberk.assets.configs.config_values import Mapping, mapping
from hauberk.assets.configs.json_depth import deeper_than
from hauberk.assets.tree import Tree

MAX_SIZE = 48 << 20


def load(tree: Tree, name: str, budget: Budget, limit: int = MAX_SIZE) -> object:
    """The JSON in the file `name`; None when there is none that parses. Its own reader says what is wrong with it."""
    content = tree.files.get(name)
    if content is None or content.size > limit:
        return None
    data = content.read()
    if deeper_than(data, 200, budget):
        return None
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def load_mapping(tree: Tree, name: str, budget: Budget, limit: int = MAX_SIZE) -> Mapping | None:
    """The JSON object in the file `name`."""
    return mapping(load(tree, name, budget, limit))


def beside(name: str, other: str) -> str:
    """The file `other` in the folder of `name`."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), other))


def leaves(path: str) -> bool:
    """Whether a relative path given by a file reaches outside the folder it is in."""
    plain = path.replace("\\", "/")
    return plain.startswith(("/", "~")) or ".." in plain.split("/") or ":" in plain.split("/", 1)[0]
