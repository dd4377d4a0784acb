"""Reads attacks from YAML: one script a file. What is wrong is said in one line with the file's name."""

import os
import re
from collections.abc import Iterator, Mapping

import msgspec

from hauberk.probe.attacks.disguise import Disguise
from hauberk.probe.attacks.planted import Planted
from hauberk.probe.attacks.script import Script, faults
from hauberk.probe.attacks.scripted import Scripted

NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+){0,7}")
MAX_FILE = 256 << 10  # bytes
MAX_FILES = 5_000


class AttackFileError(ValueError):
    """A file is no usable attack. The message is one line: which file, and why."""


def attack_of(script: Script, disguises: Mapping[str, Disguise]) -> Scripted | Planted:
    """The attack that `script` says. Raises ValueError."""
    if not NAME.fullmatch(script.name):
        raise ValueError(f"the name {script.name[:60]!r} is not of lower-case words joined by hyphens")
    wrong = faults(script)
    unknown = [name for name in script.transforms if name not in disguises]
    if unknown:
        wrong.append(f"no such transform: {', '.join(unknown)[:100]}")
    if wrong:
        raise ValueError("; ".join(wrong))
    worn = [disguises[name] for name in script.transforms]
    return Planted(script, worn) if script.planted else Scripted(script, worn)


def read_attack(data: bytes, name: str, disguises: Mapping[str, Disguise]) -> Scripted | Planted:
    """The attack that a YAML file of this content says. Raises AttackFileError with `name` in it."""
    from hauberk.probe.plain_yaml import read_yaml

    try:
        return attack_of(msgspec.convert(read_yaml(data), Script), disguises)
    except (ValueError, RecursionError) as error:
        raise AttackFileError(f"{name}: {' '.join(str(error).split())[:300]}") from error


def read_folder(folder: str, disguises: Mapping[str, Disguise]) -> Iterator[Scripted | Planted]:
    """The attacks of the `.yaml` and `.yml` files of `folder` and the folders in it, by path. Raises AttackFileError."""
    if not os.path.isdir(folder):
        raise AttackFileError(f"{folder}: no such folder")
    paths = sorted(
        os.path.join(place, file) for place, _, files in os.walk(folder) for file in files if file.endswith((".yaml", ".yml"))
    )
    if not paths:
        raise AttackFileError(f"{folder}: no .yaml file in it")
    if len(paths) > MAX_FILES:
        raise AttackFileError(f"{folder}: more than {MAX_FILES} files")
    for path in paths:
        try:
            with open(path, "rb") as file:
                data = file.read(MAX_FILE + 1)
        except OSError as error:
            raise AttackFileError(f"{path}: {error.strerror or error}") from error
        if len(data) > MAX_FILE:
            raise AttackFileError(f"{path}: larger than {MAX_FILE} bytes")
        yield read_attack(data, path, disguises)
