"""Seeds: what to ask; our own banks, users' banks of the same shape, and loaders of public sets."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from hauberk.probe.seeds.errors import SeedError
from hauberk.probe.seeds.own import DATA, own_banks, own_seeds, read
from hauberk.probe.seeds.seed import Bank, Seed

__all__ = ["Bank", "Seed", "SeedError", "banks", "load"]


def banks(folder: Path | None = None) -> dict[str, Bank]:
    """Every bank that ships, and those in `folder` (one folder each with a `bank.yaml`), by name. Raises SeedError."""
    return own_banks() | (own_banks(folder) if folder else {})


def load(names: Iterable[str], folder: Path | None = None) -> Iterator[Seed]:
    """The seeds of the banks called `names`, in order. A name may also be the path of one seed file. Raises SeedError."""
    users = own_banks(folder) if folder else {}
    known = own_banks()
    for name in names:
        if folder and name in users:
            yield from own_seeds(name, folder)
        elif name in known:
            yield from own_seeds(name, DATA)
        elif Path(name).is_file():
            yield from read(Path(name), Path(name).stem)
        else:
            raise SeedError(f"{name}: no such bank; there are {', '.join(sorted({**known, **users}))}, or name a file")
