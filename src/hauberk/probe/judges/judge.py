"""Judge: how a case ended, and how far to trust that."""

from typing import Protocol

import msgspec

from hauberk.probe.case import Case
from hauberk.probe.outcome import Outcome
from hauberk.probe.targets.target import Exchange


class Judgement(msgspec.Struct, frozen=True, omit_defaults=True):
    """A judge's word on one case.

    Attributes:
        outcome: Never ERROR or NOT_RUN: those are the engine's to say.
        confidence: Calibrated probability that `outcome` is right, 0 to 1.
        judge: Name and version of the judge.
        note: One English clause: what it went by.
        quote: The piece of the answer that decided it, bounded to 200 characters.
        score: How far the goal was reached, 0 to 1: what searches climb.
    """

    outcome: Outcome
    confidence: float
    judge: str
    note: str = ""
    quote: str = ""
    score: float = 0.0


class Accuracy(msgspec.Struct, frozen=True):
    """How a judge did against people's labels, as counts. Positive means: the goal was reached (complied or partial).

    `data` names the labelled set and what of it was held out; the counts come from a script in `evals/`.
    """

    judge: str
    data: str
    true_positive: int
    false_negative: int
    true_negative: int
    false_positive: int


class Judge(Protocol):
    """Judges one finished conversation. Pure and synchronous, like every detector."""

    @property
    def name(self) -> str: ...

    def judge(self, case: Case, prompt: str, transcript: tuple[Exchange, ...], at: int) -> Judgement | None:
        """The word on exchange `at` of `transcript`, whose undisguised request was `prompt`; None when it is not its to say."""
        ...
