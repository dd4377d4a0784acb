"""Loads the rules: a packed file when it is current, else the YAML, one rule a file.

A wheel carries `sealed.msgpack` (made by `python -m hauberk.rules.pack`). A checkout reads the YAML and keeps
`pack.msgpack` beside it, recognised as current by the names, sizes and times of the YAML files.
"""

import hashlib
import os
from pathlib import Path
from typing import Any, cast

import msgspec

from hauberk.core import Rule

HERE = Path(__file__).parent
SEALED = HERE / "sealed.msgpack"
_PACK = HERE / "pack.msgpack"

Signature = list[tuple[str, int, int]]


class RuleFileError(ValueError):
    """A rule file is not usable. The message names the file and the place."""


class RulePack(msgspec.Struct, frozen=True):
    """Every rule, the taxonomy (risk -> framework -> ids) and the capability map, with the digest of their sources."""

    digest: str
    rules: tuple[Rule, ...]
    taxonomy: dict[str, Any]
    capabilities: dict[str, Any]
    signature: Signature = []

    @property
    def by_id(self) -> dict[str, Rule]:
        """The rules by their id."""
        return {rule.id: rule for rule in self.rules}


def load_pack(folder: Path = HERE) -> RulePack:
    """The rules of `folder`. Raises RuleFileError."""
    if folder == HERE and SEALED.exists():
        return msgspec.msgpack.decode(SEALED.read_bytes(), type=RulePack)
    signature = _signature(folder)
    if folder == HERE and _PACK.exists():
        try:
            pack = msgspec.msgpack.decode(_PACK.read_bytes(), type=RulePack)
        except msgspec.DecodeError:
            pack = None  # written by another version: make it again
        if pack is not None and pack.signature == signature:
            return pack
    pack = build_pack(folder, signature)
    if folder == HERE:
        _keep(pack)
    return pack


def _signature(folder: Path) -> Signature:
    found: Signature = []
    stack = [os.fspath(folder)]
    while stack:
        with os.scandir(stack.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    stack.append(entry.path)
                elif entry.name.endswith(".yaml"):
                    status = entry.stat()
                    found.append((os.path.relpath(entry.path, folder), status.st_size, status.st_mtime_ns))
    return sorted(found)


def _keep(pack: RulePack) -> None:
    temporary = _PACK.with_suffix(f".{os.getpid()}")
    try:
        temporary.write_bytes(msgspec.msgpack.encode(pack))
        temporary.replace(_PACK)
    except OSError:
        temporary.unlink(missing_ok=True)  # a read-only install: the YAML is read each time


def build_pack(folder: Path = HERE, signature: Signature | None = None) -> RulePack:
    """Reads every YAML file under `folder`. Raises RuleFileError, naming the file."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    rules: list[Rule] = []
    taxonomy: dict[str, Any] = {}
    capabilities: dict[str, Any] = {}
    hashed = hashlib.sha256()
    for name, _, _ in signature if signature is not None else _signature(folder):
        data = (folder / name).read_bytes()
        hashed.update(f"{name}\0{len(data)}\0".encode())
        hashed.update(data)
        try:
            raw = yaml.load(data, Loader=loader)  # noqa: S506 - a safe loader, chosen above
            if name == "taxonomy.yaml":
                taxonomy = raw
            elif name.startswith("capabilities" + os.sep):
                _merge(capabilities, raw)
            else:
                rules.append(msgspec.convert(raw, Rule))
        except (yaml.YAMLError, msgspec.ValidationError, TypeError) as error:
            raise RuleFileError(f"{folder / name}: {error}") from error
    _refuse_twins(rules, folder)
    return RulePack(hashed.hexdigest()[:16], tuple(rules), taxonomy, capabilities, signature or [])


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], cast("dict[str, Any]", value))
        elif isinstance(value, list) and isinstance(into.get(key), list):
            into[key] = [*into[key], *value]
        else:
            into[key] = value


def _refuse_twins(rules: list[Rule], folder: Path) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise RuleFileError(f"{folder}: two rules have the id {rule.id!r}; give one another name")
        seen.add(rule.id)
