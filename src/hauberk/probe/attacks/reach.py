"""Which seeds an attack of a family is for."""

from collections.abc import Collection, Mapping

from hauberk.probe.attacks.attack import Family
from hauberk.probe.goal import Flood, Unsafe
from hauberk.probe.seeds.seed import Seed
from hauberk.probe.targets.target import Abilities

MAX_REQUEST = 16_000
"""Characters of the longest seed that is asked; a longer one fits no attack, and the plan says so."""

_ASKED = frozenset({"harm", "help"})
_REACH: Mapping[Family, frozenset[str]] = {
    Family.PLAIN: frozenset(
        {"harm", "help", "marker", "secret", "fact", "choice", "pair", "flood", "unsafe", "memorised"},
    ),
    Family.INJECTION: _ASKED | {"marker", "secret"},
    Family.INDIRECT: _ASKED | {"marker", "secret", "unsafe", "flood"},
    Family.HIJACK: _ASKED | {"marker"},
    Family.EXTRACTION: frozenset({"secret"}),
    Family.JAILBREAK: _ASKED,
    Family.ENCODING: _ASKED | {"marker"},
    Family.TRANSLATION: _ASKED,
    Family.CHINESE: _ASKED | {"marker"},
    Family.MULTI_TURN: _ASKED,
    Family.PRIVACY: frozenset({"secret", "unsafe", "memorised"}),
    Family.KNOWLEDGE: frozenset({"fact", "choice"}),
    Family.BIAS: frozenset({"pair"}),
    Family.WALLET: frozenset({"flood"}),
    Family.OUTPUT: frozenset({"unsafe"}),
    Family.IMAGE: _ASKED | {"marker"},
    Family.THEFT: _ASKED | {"secret", "flood", "memorised"},
}
_RISKS: Mapping[Family, frozenset[str]] = {Family.THEFT: frozenset({"model-extraction"})}


def goal_name(seed: Seed) -> str:
    """`harm`, `help`, `marker` ... of the seed's goal."""
    return str(type(seed.goal).__struct_config__.tag)


def goal_names(seed: Seed) -> set[str]:
    """The goal's name, and for unsafe output what is checked as well: `unsafe:xss`."""
    name = goal_name(seed)
    return {name, f"unsafe:{seed.goal.check}"} if isinstance(seed.goal, Unsafe) else {name}


def answer_room(seed: Seed, wanted: int | None) -> int | None:
    """Tokens that an answer may have: as the attack wants it, but enough for a flood to show; None leaves it to the run."""
    return max(wanted or 0, seed.goal.tokens) if isinstance(seed.goal, Flood) else wanted


def is_foreign(seed: Seed) -> bool:
    """Whether the seed's order is to stand in foreign content while a user asks for something else."""
    return bool(seed.task or seed.context)


def is_twin(seed: Seed) -> bool:
    """Whether the seed is an ordinary task about foreign content, with no order to plant."""
    return is_foreign(seed) and seed.goal.wanted


def too_long(seed: Seed) -> bool:
    """Whether no attack takes the seed."""
    return len(seed.text) + len(seed.context) + len(seed.task) > MAX_REQUEST


def reaches(family: Family, goals: Collection[str], seed: Seed, abilities: Abilities) -> bool:
    """Whether an attack of `family`, or with its own list of `goals`, is for `seed` on a target with `abilities`."""
    if seed.scenario or seed.image or (seed.system and not abilities.system):
        return False
    if goal_names(seed).isdisjoint(goals or _REACH.get(family, ())) or seed.risk not in _RISKS.get(family, {seed.risk}):
        return False
    if is_foreign(seed):
        if family is not Family.INDIRECT:
            return False
    elif family is Family.INDIRECT and goal_name(seed) in _ASKED:  # a request for harm belongs to its asker, not to a document
        return False
    return bool(seed.text or seed.context or seed.task) and not too_long(seed)
