"""PublicSet: what a set is called, which files it comes in, and how a row becomes a seed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from hauberk.probe.seeds.errors import SeedError
from hauberk.probe.seeds.public.rows import Row, rows
from hauberk.probe.seeds.seed import Bank, Seed

MOST_LOOKED_AT = 100_000
"""Entries of the user's folder that are looked at while a set's files are searched."""


class PublicSet(msgspec.Struct, frozen=True):
    """A public set.

    Attributes:
        bank: Name, licence and source, shown before use.
        files: Names of its files; every one that is found is read.
        seed: File's name and row -> seed, without id and bank; None leaves the row out.
        whole: Reads a file of another shape instead.
    """

    bank: Bank
    files: tuple[str, ...]
    seed: Callable[[str, Row], Seed | None] | None = None
    whole: Callable[[Path], Iterator[Seed]] | None = None

    def seeds(self, folder: Path) -> Iterator[Seed]:
        """Its seeds, from the files under `folder`. Raises SeedError when there are none, or a row lacks a column."""
        found = self.found(folder)
        if not found:
            raise SeedError(
                f"{folder}: none of {', '.join(self.files)} is there; clone {self.bank.source} into it to use {self.bank.name}"
            )
        for path in found:
            yield from self._of(path)

    def found(self, folder: Path) -> list[Path]:
        """Its files under `folder`, in a fixed order."""
        made: list[Path] = []
        for number, path in enumerate(folder.rglob("*")):
            if number > MOST_LOOKED_AT:
                raise SeedError(f"{folder}: more than {MOST_LOOKED_AT} files; name the folder of the sets themselves")
            if path.name in self.files and path.is_file():
                made.append(path)
        return sorted(made)

    def _of(self, path: Path) -> Iterator[Seed]:
        name = self.bank.name
        if self.whole is not None:
            for seed in self.whole(path):
                yield msgspec.structs.replace(seed, id=f"{name}:{seed.id}", bank=name)
            return
        assert self.seed is not None
        for number, row in enumerate(rows(path), 1):
            try:
                seed = self.seed(path.name, row)
            except KeyError as error:
                raise SeedError(f"{path}: row {number} has no column {error}; is it {self.bank.title}?") from error
            if seed is not None and seed.text.strip():
                yield msgspec.structs.replace(seed, id=f"{name}:{path.stem}:{number}", bank=name)
