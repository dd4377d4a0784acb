"""Judges: how a case ended, and how far to trust that."""

from hauberk.probe.judges.judge import Accuracy, Judge, Judgement
from hauberk.probe.judges.pair import Side, compared
from hauberk.probe.judges.panel import Judges, default_judges
from hauberk.probe.judges.refine import Refining, is_unsure, refine

__all__ = [
    "Accuracy",
    "Judge",
    "Judgement",
    "Judges",
    "Refining",
    "Side",
    "compared",
    "default_judges",
    "is_unsure",
    "refine",
]
