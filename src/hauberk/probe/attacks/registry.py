"""Every attack by its name. The folders are the registry: nothing is listed twice."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TypeVar, cast

from hauberk.probe.attacks.attack import Attack
from hauberk.probe.attacks.disguise import Disguise
from hauberk.probe.attacks.disguised import Disguised
from hauberk.probe.attacks.reading import AttackFileError, read_folder

_T = TypeVar("_T")
_HERE = Path(__file__).parent
_DATA = _HERE / "data"
_CLASSES = ("turns", "search", "agents")  # packages whose modules hold an ATTACK or ATTACKS


@cache
def all_disguises() -> Mapping[str, Disguise]:
    """The transforms by name: one a module of `transforms/`."""
    found: dict[str, Disguise] = {}
    for module in _modules("transforms"):
        disguise = getattr(module, "DISGUISE", None)
        if isinstance(disguise, Disguise):
            _add(found, disguise.name, disguise, module.__name__)
    return MappingProxyType(found)


@cache
def all_attacks() -> Mapping[str, Attack]:
    """Every attack that ships, by name: the scripts of `data/`, the transforms, and the classes."""
    found: dict[str, Attack] = {}
    for attack in read_folder(str(_DATA), all_disguises()):
        _add(found, attack.name, attack, "data")
    for disguise in all_disguises().values():
        _add(found, disguise.name, Disguised(disguise), "transforms")
    for package in _CLASSES:
        for module in _modules(package):
            for attack in _attacks(module):
                _add(found, attack.name, attack, module.__name__)
    return MappingProxyType(dict(sorted(found.items(), key=_order)))


def with_folder(folder: str) -> Mapping[str, Attack]:
    """What ships and the user's own YAML attacks of `folder`. Raises AttackFileError, also for a name that is taken."""
    found = dict(all_attacks())
    for attack in read_folder(folder, all_disguises()):
        if attack.name in found:
            raise AttackFileError(f"{folder}: an attack named {attack.name} is there already; choose another name")
        found[attack.name] = attack
    return MappingProxyType(found)


def _order(item: tuple[str, Attack]) -> tuple[str, str]:
    return item[1].family.value, item[0]


def _attacks(module: ModuleType) -> Iterator[Attack]:
    one = getattr(module, "ATTACK", None)
    if one is not None:
        yield cast("Attack", one)
    yield from cast("tuple[Attack, ...]", getattr(module, "ATTACKS", ()))


def _modules(package: str) -> Iterator[ModuleType]:
    """The modules of a package of this folder, where there is one."""
    folder = _HERE / package
    names = sorted(found.name for found in pkgutil.iter_modules([str(folder)]) if not found.ispkg)
    for name in names:
        yield importlib.import_module(f"hauberk.probe.attacks.{package}.{name}")


def _add(found: dict[str, _T], name: str, item: _T, where: str) -> None:
    if name in found:
        raise AttackFileError(f"{where}: two attacks are named {name}")
    found[name] = item
