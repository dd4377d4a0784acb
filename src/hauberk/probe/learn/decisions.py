"""`approved.json`: who said yes or no to what, and when. An item without a yes is never learnt."""

import datetime as dt
import os
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import msgspec

from hauberk.core import Rule
from hauberk.probe.learn.errors import LearnError
from hauberk.probe.learn.proposal import DECISIONS, Proposal, write_whole
from hauberk.probe.learn.sample import Sample


class How(StrEnum):
    """Who decided."""

    PERSON = "person"
    POLICY = "policy"


class Decision(msgspec.Struct, frozen=True):
    """One word on one item. `item` holds a digest of the item itself: one that was changed since has no decision."""

    item: str
    yes: bool
    by: str
    how: How
    at: str  # ISO 8601 UTC
    why: str = ""


class _File(msgspec.Struct, frozen=True):
    version: int
    decisions: tuple[Decision, ...]


class Approved(msgspec.Struct, frozen=True):
    """What may be learnt."""

    samples: tuple[Sample, ...]
    rules: tuple[Rule, ...]
    pending: int
    declined: int


def now() -> str:
    """The time, for a decision."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def read_decisions(folder: str) -> dict[str, Decision]:
    """Decisions by item, the last one of each; none when there is no file. Raises LearnError."""
    path = Path(folder) / DECISIONS
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_File)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise LearnError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LearnError(f"{path}: damaged, so that nothing counts as approved: {error}") from error
    return {decision.item: decision for decision in found.decisions}


def record(folder: str, made: Iterable[Decision]) -> dict[str, Decision]:
    """Adds decisions to those there are; all of them. Raises LearnError."""
    known = {**read_decisions(folder), **{decision.item: decision for decision in made}}
    data = msgspec.json.format(msgspec.json.encode(_File(1, tuple(known.values()))), indent=2) + b"\n"
    try:
        write_whole(os.path.join(folder, DECISIONS), data)
    except OSError as error:
        raise LearnError(f"{folder}: decisions cannot be kept: {(error.strerror or str(error)).lower()}") from error
    return known


def approved(proposal: Proposal, decisions: dict[str, Decision]) -> Approved:
    """The items of `proposal` with a yes."""
    yes = {item for item, decision in decisions.items() if decision.yes}
    return Approved(
        samples=tuple(sample for sample in proposal.samples if sample.id in yes),
        rules=tuple(rule for item, rule in proposal.rules.items() if item in yes),
        pending=sum(item not in decisions for item in proposal.items),
        declined=sum(item in decisions and item not in yes for item in proposal.items),
    )
