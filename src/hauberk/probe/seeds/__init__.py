"""Seeds: what to ask; our own banks, users' banks of the same shape, and loaders of public sets."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from hauberk.probe.seeds.errors import SeedError
from hauberk.probe.seeds.own import DATA, own_banks, own_seeds, read
from hauberk.probe.seeds.public.sets import SETS
from hauberk.probe.seeds.seed import Bank, Seed

__all__ = ["Bank", "Seed", "SeedError", "banks", "load", "missing", "own_names"]


def banks(folder: Path | None = None) -> dict[str, Bank]:
    """Every bank that ships, public sets, and those in `folder` (one folder each with a `bank.yaml`), by name. Raises SeedError."""
    return own_banks() | {name: one.bank for name, one in SETS.items()} | (own_banks(folder) if folder else {})


def own_names(folder: Path | None = None) -> tuple[str, ...]:
    """The banks that are used when none is named: those that ship, and the user's own in `folder`. Raises SeedError."""
    return tuple(own_banks() | (own_banks(folder) if folder else {}))


def missing(name: str, folder: Path | None = None) -> bool:
    """Whether the bank called `name` is a public set whose files are not in `folder`. Raises SeedError."""
    return name in SETS and (folder is None or not SETS[name].found(folder)) and not (folder and name in own_banks(folder))


def load(names: Iterable[str], folder: Path | None = None) -> Iterator[Seed]:
    """The seeds of the banks called `names`, in order; public sets come from `folder`, where the user has cloned them.

    A name may also be the path of one seed file. Raises SeedError.
    """
    users = own_banks(folder) if folder else {}
    known = own_banks()
    for name in names:
        if folder and name in users:
            yield from own_seeds(name, folder)
        elif name in known:
            yield from own_seeds(name, DATA)
        elif name in SETS:
            if folder is None:
                raise SeedError(f"{name} does not ship: clone {SETS[name].bank.source} and name the folder it lies in")
            yield from SETS[name].seeds(folder)
        elif Path(name).is_file():
            yield from read(Path(name), Path(name).stem)
        else:
            raise SeedError(f"{name}: no such bank; there are {', '.join(sorted({**known, **users, **SETS}))}, or name a file")
