"""Rows written for this project, expanded from the grammars beside it.

A grammar file holds ``families``; each has a name, task, label, kind, lang, role, shared ``slots`` and ``patterns``. A pattern and
all its fillings are one family for the splits. Indirect injections join a payload with a carrier of the same side, so that neither
a payload nor a carrier of the calibration part is ever trained on; the carriers without payload are the ordinary twins.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml
from evals.guard.data.families import side
from evals.guard.data.grammar import expand, pick
from evals.guard.data.row import Role, Row, Task

GRAMMARS = Path(__file__).with_name("grammars")
CARRIERS_EACH = 6
"""Carriers a payload pattern is put into."""
MARK = "<<payload>>"


class Family(msgspec.Struct, frozen=True):
    """One list of sentence patterns.

    Attributes:
        name: Unique; part of the group's name.
        use: ``rows`` for texts by themselves, ``payload`` for texts that also go into carriers, ``carrier`` for texts with a place
            for one.
        each: Fillings of a pattern.
    """

    name: str
    kind: str
    lang: str
    patterns: list[str]
    task: Task = "attack"
    label: Literal[0, 1] = 0
    role: Role = "user"
    use: Literal["rows", "payload", "carrier"] = "rows"
    each: int = 2
    slots: dict[str, list[str]] = {}
    weight: float = 1.0


@cache
def _shared() -> dict[str, dict[str, list[str]]]:
    """Slot lists that all grammars of a language may use: ``slots.<lang>.yaml``."""
    return {path.stem.split(".")[1]: yaml.safe_load(path.read_text("utf-8")) for path in sorted(GRAMMARS.glob("slots.*.yaml"))}


def grammars() -> list[Family]:
    """All families, by file name and in order.

    Raises:
        msgspec.ValidationError: if a file does not have the form described above.
    """
    found: list[Family] = []
    for path in sorted(GRAMMARS.glob("*.yaml")):
        if not path.name.startswith("slots."):
            found.extend(msgspec.convert(entry, Family) for entry in yaml.safe_load(path.read_text("utf-8"))["families"])
    return found


def _row(family: Family, text: str, group: str, **changed: Any) -> Row:
    fields = {"label": family.label, "kind": family.kind, "role": family.role, **changed}
    return Row(text, task=family.task, lang=family.lang, source=f"own:{family.name}", group=group, weight=family.weight, **fields)


def slots_of(family: Family) -> dict[str, list[str]]:
    """The slot lists a family may use: its own before those of its language."""
    return {**_shared().get(family.lang, {}), **family.slots}


def _group(family: Family, pattern: str) -> str:
    return f"own:{family.name}:{pattern[:60]}"


def _plain(family: Family) -> Iterator[Row]:
    for pattern in family.patterns:
        for text in expand(pattern, slots_of(family), family.each, family.name):
            yield _row(family, text.strip(), _group(family, pattern))


def _twins(carrier: Family) -> Iterator[Row]:
    """Carriers as they are without a payload."""
    for pattern in carrier.patterns:
        for text in expand(pattern, slots_of(carrier), carrier.each, carrier.name):
            plain = "\n".join(line for line in text.split("\n") if line.strip() != MARK).replace(MARK, "")
            yield _row(carrier, plain.strip(), _group(carrier, pattern))


def _carried(family: Family, carriers: list[Family]) -> Iterator[Row]:
    """A payload by itself, as a tool's words, and in carriers of its own side and language."""
    for pattern in family.patterns:
        group = _group(family, pattern)
        texts = expand(pattern, slots_of(family), family.each, family.name)
        for text in texts:
            yield _row(family, text.strip(), group, role="tool")
        homes = [
            (carrier, home)
            for carrier in carriers
            for home in carrier.patterns
            if carrier.lang == family.lang and side(_group(carrier, home)) == side(group)
        ]
        chosen = pick([str(number) for number in range(len(homes))], CARRIERS_EACH, f"{family.name}\0{pattern}")
        for turn, number in enumerate(chosen):
            carrier, home = homes[int(number)]
            filled = expand(home, slots_of(carrier), 1, f"{carrier.name}\0{pattern}")[0]
            yield _row(family, _joined(filled, texts[turn % len(texts)]), group, role=carrier.role)


def _joined(carrier: str, payload: str) -> str:
    """The payload at the carrier's mark; in one line where the mark stands inside a line (a JSON string, a table cell)."""
    lines = []
    for line in carrier.split("\n"):
        inside = line.strip() != MARK
        lines.append(line.replace(MARK, payload.strip().replace("\n", " ").replace('"', "'") if inside else payload.strip()))
    return "\n".join(lines).strip()


def rows() -> Iterator[Row]:
    """All rows written here, in a fixed order."""
    every = grammars()
    carriers = [family for family in every if family.use == "carrier"]
    for family in every:
        if family.use == "rows":
            yield from _plain(family)
        elif family.use == "carrier":
            yield from _twins(family)
        else:
            yield from _carried(family, carriers)
    from evals.guard.data import harm

    yield from harm.rows()


__all__ = ["Family", "grammars", "rows", "slots_of"]
