"""Suites: what is run together, as data in `suites/*.toml`."""

from importlib.resources import files

import msgspec

from hauberk.probe.attacks.attack import Family
from hauberk.probe.engine.errors import EngineError
from hauberk.probe.engine.settings import Choice

DEFAULT = "quick"


class Suite(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """A choice of banks, attacks and numbers. Empty tuples choose everything that ships."""

    name: str
    title_en: str
    title_zh: str
    banks: tuple[str, ...] = ()
    families: tuple[Family, ...] = ()
    attacks: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    langs: tuple[str, ...] = ()
    per_risk: int = 0
    per_cell: int = 0
    trials: int = 1
    tc260: bool = False

    def choice(self) -> Choice:
        """What it chooses, before a command line narrows it."""
        return Choice(
            suite=self.name,
            banks=self.banks,
            families=tuple(family.value for family in self.families),
            attacks=self.attacks,
            risks=self.risks,
            langs=self.langs,
            per_risk=self.per_risk,
            per_cell=self.per_cell,
            trials=self.trials,
            tc260=self.tc260,
        )


def suites() -> dict[str, Suite]:
    """The suites that ship, by name."""
    folder = files("hauberk.probe.engine") / "suites"
    found = [read_suite(entry.read_bytes(), entry.name) for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return {suite.name: suite for suite in sorted(found, key=lambda one: one.name)}


def suite_of(name: str) -> Suite:
    """The suite called `name`, or in the file so named. Raises EngineError."""
    known = suites()
    if name in known:
        return known[name]
    if not name.endswith(".toml"):
        raise EngineError(f"no suite {name!r}; there are {', '.join(known)}, or name a .toml file")
    try:
        with open(name, "rb") as file:
            return read_suite(file.read(1 << 20), name)
    except OSError as error:
        raise EngineError(f"{name}: cannot be read: {(error.strerror or str(error)).lower()}") from error


def read_suite(data: bytes, name: str) -> Suite:
    """A suite from its TOML. Raises EngineError."""
    try:
        return msgspec.toml.decode(data, type=Suite)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EngineError(f"{name}: {error}") from error
