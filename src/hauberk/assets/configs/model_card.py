"""What a model repository says of itself: name, licence, datasets, base model, architecture, dependencies.

Every word of it is its author's claim. Reading is bounded, and what does not parse is left out.
"""

import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any, cast

import msgspec

from hauberk.assets.content import PathContent
from hauberk.assets.tree import Tree

MOST_BYTES = 4 << 20  # of a lock file; the others are far smaller
MOST_ITEMS = 2000
LONGEST = 300

_REQUIREMENT = re.compile(
    r"^\s*([A-Za-z0-9][A-Za-z0-9._-]{0,100})\s*(?:\[[^\]]{0,200}\])?\s*(?:(===?)\s*([A-Za-z0-9.+!_*-]{1,60}))?"
)
_DEEPEST = 50  # lists and mappings within each other; thousands would overflow the loader's stack, which ends the process
_FRONT_MATTER = re.compile(rb"\A(?:\xef\xbb\xbf)?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_FILES = ("README.md", "config.json", "adapter_config.json", "pyproject.toml", "uv.lock", "poetry.lock")


class Dependency(msgspec.Struct, frozen=True, order=True):
    """A package named beside a model. `version` is "" when it is not pinned."""

    name: str
    version: str
    source: str


class ModelCard(msgspec.Struct, frozen=True):
    """The claims of a repository. `asset` is the uri of its directory."""

    asset: str
    name: str = ""
    licences: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    base_models: tuple[str, ...] = ()
    architecture: str = ""
    family: str = ""
    task: str = ""
    library: str = ""
    dependencies: tuple[Dependency, ...] = ()


def read_card(tree: Tree, uri: str) -> ModelCard | None:
    """The card of the repository at `uri`, or None when it says nothing of itself. Reads only its top level."""
    matter = _front_matter(_bytes(tree, "README.md"))
    config, adapter = _json(_bytes(tree, "config.json")), _json(_bytes(tree, "adapter_config.json"))
    licences = _texts(matter.get("license"))
    if licences == ("other",):
        licences = _texts(matter.get("license_name")) or licences
    card = ModelCard(
        asset=uri,
        name=_text(matter.get("model_name")) or _text(config.get("_name_or_path")),
        licences=licences,
        datasets=_texts(matter.get("datasets")),
        base_models=_texts(matter.get("base_model")) or _texts(adapter.get("base_model_name_or_path")),
        architecture=next(iter(_texts(config.get("architectures"))), "") or _text(adapter.get("peft_type")),
        family=_text(config.get("model_type")),
        task=_text(matter.get("pipeline_tag")),
        library=_text(matter.get("library_name")),
        dependencies=tuple(sorted(set(_dependencies(tree)))[:MOST_ITEMS]),
    )
    return None if card == ModelCard(asset=uri) else card


def read_cards(folders: Iterable[str]) -> tuple[ModelCard, ...]:
    """The cards of directories on disk; what is not a directory, or has none, is left out."""
    cards: list[ModelCard] = []
    for folder in folders:
        try:
            names = [e.name for e in os.scandir(folder) if e.is_file() and (e.name in _FILES or _is_requirements(e.name))]
            tree = Tree({name: PathContent(os.path.join(folder, name)) for name in names})
            card = read_card(tree, folder)
        except OSError:
            continue  # gone or closed since it was scanned; the scan's own gaps speak of it
        if card is not None:
            cards.append(card)
    return tuple(cards)


def _bytes(tree: Tree, name: str) -> bytes:
    content = tree.files.get(name)
    return content.read(0, MOST_BYTES) if content is not None and content.size <= MOST_BYTES else b""


def _front_matter(data: bytes) -> dict[str, Any]:
    found = _FRONT_MATTER.match(data[: 1 << 18])
    if found is None:
        return {}
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    depth = 0
    try:
        for event in yaml.parse(found.group(1), Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                return {}
        value = yaml.load(found.group(1), Loader=loader)  # noqa: S506 - a safe loader, chosen above
    except (yaml.YAMLError, ValueError, RecursionError, TypeError):
        return {}
    return _mapping(value)


def _json(data: bytes) -> dict[str, Any]:
    try:
        return _mapping(msgspec.json.decode(data)) if data else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def _toml(data: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return {}


def _mapping(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _sequence(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _text(value: object) -> str:
    return value[:LONGEST] if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    """A string or a list of strings, without empty ones and repetitions."""
    items = [value] if isinstance(value, str) else _sequence(value)
    return tuple(dict.fromkeys(text for item in items[:MOST_ITEMS] if (text := _text(item))))


def _is_requirements(name: str) -> bool:
    return name.startswith("requirements") and name.endswith(".txt")


def _dependencies(tree: Tree) -> Iterator[Dependency]:
    for name in tree.files:
        if _is_requirements(name):
            for line in _bytes(tree, name).decode("utf-8", "replace").splitlines()[:MOST_ITEMS]:
                yield from _requirement(line, name)
    project = _mapping(_toml(_bytes(tree, "pyproject.toml")).get("project"))
    for line in _sequence(project.get("dependencies"))[:MOST_ITEMS]:
        yield from _requirement(_text(line), "pyproject.toml")
    for lock in ("uv.lock", "poetry.lock"):
        for package in _sequence(_toml(_bytes(tree, lock)).get("package"))[:MOST_ITEMS]:
            entry = _mapping(package)
            if name := _text(entry.get("name")):
                yield Dependency(name.lower(), _text(entry.get("version")), lock)


def _requirement(line: str, source: str) -> Iterator[Dependency]:
    """One requirement; options, URLs and comments are none."""
    line = line.partition("#")[0].strip()
    if not line or line.startswith("-") or "://" in line.partition(";")[0]:
        return
    if found := _REQUIREMENT.match(line):
        version = found.group(3) or ""
        yield Dependency(found.group(1).lower(), "" if "*" in version else version, source)
