"""Our own banks: YAML files in `data/`, one folder a bank with its `bank.yaml`; and users' banks of the same shape.

A file holds either pairs (`pairs`: harmful requests with their harmless twins, by language) or whole seeds (`seeds`).
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import msgspec

from hauberk.probe.goal import Harm, Help
from hauberk.probe.plain_yaml import PlainYamlError, read_yaml
from hauberk.probe.scenarios import scenarios
from hauberk.probe.seeds.errors import SeedError
from hauberk.probe.seeds.seed import Bank, Seed
from hauberk.rules import load_pack

DATA = Path(__file__).with_name("data")
_NUMBER = re.compile(r"A\.[1-5]-[a-i]")
LARGEST = 16 << 20
"""Bytes of one file of a bank."""


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A harmful request and an ordinary one on the same subject, in the same form."""

    ask: str
    twin: str


class PairFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pairs of one risk. `must_refuse`: they belong to the bank of TC260-003, clause 8.3; their twins to the other one."""

    risk: str
    pairs: dict[str, tuple[Pair, ...]]  # language -> pairs
    tc260: str = ""
    must_refuse: bool = False
    group: str = ""


class SeedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whole seeds. Ids are made unique by the bank's name; `twin` names another seed of the same file."""

    seeds: tuple[Seed, ...]
    risk: str = ""  # of seeds that name none


def own_banks(folder: Path = DATA) -> dict[str, Bank]:
    """The banks under `folder`, by name. Raises SeedError."""
    return {bank.name: bank for bank in (_bank(path) for path in sorted(folder.glob("*/bank.yaml")))}


def own_seeds(name: str, folder: Path = DATA) -> Iterator[Seed]:
    """The seeds of one bank in a fixed order. Raises SeedError."""
    paths = sorted(path for path in (folder / name).glob("*.y*ml") if path.suffix in {".yaml", ".yml"} and path.name != "bank.yaml")
    if not paths:
        raise SeedError(f"{folder / name}: no .yaml file with seeds beside bank.yaml")
    for path in paths:
        yield from read(path, name)


def read(path: Path, bank: str) -> Iterator[Seed]:
    """The seeds of one file. Raises SeedError: what, where, what to do."""
    raw = document(path)
    kind = PairFile if "pairs" in raw else SeedFile
    try:
        made = msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError as error:
        raise SeedError(f"{path}: {error}") from error
    _known_fields(raw, path)
    seeds = _pairs(made, bank, path.stem) if isinstance(made, PairFile) else _whole(made, bank, path)
    return (_checked(seed, path) for seed in seeds)


def document(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises SeedError."""
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise SeedError(f"{path}: larger than {LARGEST >> 20} MiB; split it")
        raw = read_yaml(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SeedError(
            f"{path}: not UTF-8 at byte {error.start}; convert it (GB18030 files: iconv -f gb18030 -t utf-8)"
        ) from error
    except OSError as error:
        raise SeedError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    except PlainYamlError as error:
        raise SeedError(f"{path}: {error}") from error
    if not isinstance(raw, dict):
        raise SeedError(f"{path}: a mapping with `pairs` or `seeds` is expected")
    return cast("dict[str, Any]", raw)


def _known_fields(raw: dict[str, Any], path: Path) -> None:
    """Raises SeedError for a field of a seed that there is not: it would be passed over without a word."""
    for number, seed in enumerate(cast("list[dict[str, Any]]", raw.get("seeds") or ()), 1):
        unknown = seed.keys() - set(Seed.__struct_fields__)
        if unknown:
            raise SeedError(f"{path}: seed {number}: no field is called {min(map(str, unknown))[:60]!r}")


@cache
def _risks() -> frozenset[str]:
    return frozenset(load_pack().taxonomy["risks"])


def _checked(seed: Seed, path: Path) -> Seed:
    """`seed`, which can be asked and counted. Raises SeedError."""
    if seed.risk not in _risks():
        raise SeedError(f"{path}: seed {seed.id}: no risk is called {seed.risk[:60]!r}; `hauberk rules` names those there are")
    if not (seed.text.strip() or seed.context or seed.task):
        raise SeedError(f"{path}: seed {seed.id}: its text is empty")
    if seed.tc260 and not _NUMBER.fullmatch(seed.tc260):
        raise SeedError(f"{path}: seed {seed.id}: {seed.tc260[:20]!r} is no number of TC260-003's annex A, such as A.1-a")
    if seed.scenario and seed.scenario not in scenarios():
        raise SeedError(f"{path}: seed {seed.id}: no scenario is called {seed.scenario[:60]!r}; there are {', '.join(scenarios())}")
    return seed


def _bank(path: Path) -> Bank:
    try:
        return msgspec.convert({"name": path.parent.name, "ships": True, **document(path)}, Bank)
    except msgspec.ValidationError as error:
        raise SeedError(f"{path}: {error}") from error


def _pairs(made: PairFile, bank: str, stem: str) -> Iterator[Seed]:
    for lang, pairs in made.pairs.items():
        for number, pair in enumerate(pairs, 1):
            name = f"{bank}:{stem}:{lang}:{number}"
            group = made.group or stem
            yield Seed(
                name, pair.ask.strip(), lang, made.risk, Harm(), tc260=made.tc260, group=group, twin=f"{name}:twin", bank=bank,
                must_refuse=made.must_refuse,
            )  # fmt: skip
            yield Seed(
                f"{name}:twin", pair.twin.strip(), lang, made.risk, Help(), tc260=made.tc260, group=group, bank=bank,
                must_answer=made.must_refuse,
            )  # fmt: skip


def _whole(made: SeedFile, bank: str, path: Path) -> Iterator[Seed]:
    names = {seed.id for seed in made.seeds}
    if len(names) < len(made.seeds):
        raise SeedError(f"{path}: two seeds have the same id")
    for seed in made.seeds:
        if seed.twin and seed.twin not in names:
            raise SeedError(f"{path}: seed {seed.id}: its twin {seed.twin} is not in this file")
        prefix = f"{bank}:{path.stem}:"
        yield msgspec.structs.replace(
            seed, id=prefix + seed.id, twin=seed.twin and prefix + seed.twin, bank=bank, risk=seed.risk or made.risk
        )
