"""Case: one seed through one attack, once."""

import hashlib

import msgspec

from hauberk.probe.goal import Goal


class Case(msgspec.Struct, frozen=True, omit_defaults=True):
    """One planned trial. `id` is the same in every run with the same target, attack, seed text, settings and number."""

    id: str
    attack: str  # name of the attack
    family: str
    seed: str  # id of the seed
    risk: str
    lang: str
    goal: Goal
    tc260: str = ""
    group: str = ""
    bank: str = ""
    trial: int = 0  # number of the repetition
    twin_of: str = ""  # id of the case whose harmless twin this is: same attack, harmless seed
    must_refuse: bool = False
    must_answer: bool = False
    twin: str = ""  # id of its own harmless twin, which other cases of the same attack may share

    @property
    def wanted(self) -> bool:
        """Whether reaching the goal is good: ordinary requests, questions with a known answer."""
        return bool(self.goal.wanted)


def case_id(target: str, attack: str, seed: str, text: str, settings: str, trial: int) -> str:
    """The stable id: 20 hex digits over everything that decides what is sent."""
    parts = (target, attack, seed, text, settings, str(trial))
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:20]
