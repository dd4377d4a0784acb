"""What a callable can do, from the capability map in `rules/capabilities`: one answer for every format that names code.

Each capability of the map holds `names` (module -> exact names), `modules` (a module and everything below it) and
`classes` (a package whose CapWord names are plain classes). An exact name beats a module, a longer module a shorter one;
an allowed package never covers a dotted qualname, a function or a re-exported module.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any


class Capability(StrEnum):
    """The worst that calling a thing can do by itself. Order: the first that a path is listed under decides."""

    EXECUTE = "execute"  # runs code or commands, or hands out what does
    UNPICKLE = "unpickle"  # loads another object stream
    IMPORT = "import"
    NETWORK = "network"
    WRITE = "write"
    READ = "read"
    ATTRIBUTE = "attribute"  # reaches attributes or calls what it is given: judged by its arguments
    DATA = "data"  # builds a value, nothing else
    UNKNOWN = "unknown"


HARMFUL = frozenset(
    {Capability.EXECUTE, Capability.UNPICKLE, Capability.IMPORT, Capability.NETWORK, Capability.WRITE, Capability.READ}
)
_CLASS = re.compile(r"_{0,2}[A-Z][A-Za-z0-9_]*")
# Without a module there is no telling a module's path from an attribute's: only these are followed through re-exports.
_UNMISTAKABLE = frozenset(
    (
        "os",
        "sys",
        "subprocess",
        "builtins",
        "posix",
        "nt",
        "shutil",
        "socket",
        "ctypes",
        "importlib",
        "pickle",
        "marshal",
        "runpy",
        "pty",
    )
)


class _Map:
    """The capability map, indexed."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.aliases: dict[str, str] = raw.get("aliases", {})
        self.names: dict[str, Capability] = {}
        self.modules: dict[str, Capability] = {}
        self.classes: set[str] = set()
        self.bare_classes: dict[str, Capability] = {}
        for capability in Capability:
            entry = raw.get(capability.value, {})
            for path in _paths(entry.get("names", {})):
                self.names.setdefault(path, capability)
                last = path.rpartition(".")[2]
                if capability in HARMFUL and _CLASS.fullmatch(last):
                    self.bare_classes.setdefault(last, capability)
            for module in entry.get("modules", ()):
                self.modules.setdefault(module, capability)
            self.classes.update(entry.get("classes", ()))
        self.tops = {path.partition(".")[0] for path, found in self.modules.items() if found in HARMFUL}
        self.tops |= {path.partition(".")[0] for path, found in self.names.items() if found in HARMFUL and path.count(".") == 1}

    def listed(self, path: str) -> Capability | None:
        """What the map says of `path` by exact name or by module."""
        found = self.names.get(path)
        while found is None and path:
            found = self.modules.get(path)
            path = path.rpartition(".")[0]
        return found


def _paths(names: dict[str, list[str]]) -> Iterator[str]:
    for module, members in names.items():
        for member in members:
            yield f"{module}.{member}"


@cache
def _map() -> _Map:
    from hauberk.rules.load import load_pack

    return _Map(load_pack().capabilities)


@lru_cache(maxsize=8192)
def classify(module: str, name: str) -> Capability:
    """What `module`.`name` can do when it is called. With only a dotted path, pass it whole as `name`, `module` empty."""
    known = _map()
    module = _canonical(known, module)
    if not module:
        name = _canonical(known, name)
    path = f"{module}.{name}" if module else name
    exact = known.names.get(path)
    if exact is not None:
        return exact
    attributes = (name.split(".") if module else path.split(".")[1:]) if "." in name else []
    reached = _reached(known, attributes, anywhere=bool(module))
    if reached is not None:
        return reached
    if path in known.modules:
        return known.modules[path]
    owner, _, last = path.rpartition(".")
    return _by_module(known, owner, last, plain="." not in name or (not module and owner.islower()))


def _canonical(known: _Map, path: str) -> str:
    head, dot, rest = path.partition(".")
    if path in known.aliases:
        return known.aliases[path]
    return known.aliases.get(head, head) + dot + rest


def _reached(known: _Map, attributes: list[str], *, anywhere: bool) -> Capability | None:
    """A capability reached through attributes: `logging:os.system`, `f:__globals__`."""
    for number, attribute in enumerate(attributes):
        if attribute.startswith("__") and attribute.endswith("__") and attribute not in {"__new__", "__init__", "__call__"}:
            return Capability.EXECUTE
        bare = attribute.lstrip("_")
        if bare not in (known.tops if anywhere else _UNMISTAKABLE):
            continue
        found = known.listed(".".join((bare, *attributes[number + 1 :])))
        if found in HARMFUL:
            return found
    return None


def _by_module(known: _Map, owner: str, last: str, *, plain: bool) -> Capability:
    """By the longest listed module; a package of classes covers only an undotted CapWord that is not a known gadget."""
    is_class = plain and _CLASS.fullmatch(last) is not None
    while owner:
        if is_class and owner in known.classes:
            return known.bare_classes.get(last, Capability.DATA)
        found = known.modules.get(owner)
        if found is not None:
            return found if plain or found is not Capability.DATA else Capability.UNKNOWN
        owner = owner.rpartition(".")[0]
    return Capability.UNKNOWN
