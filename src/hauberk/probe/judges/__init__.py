"""Judges: how a case ended, and how far to trust that."""

from hauberk.probe.judges.judge import Accuracy, Judge, Judgement
from hauberk.probe.judges.panel import Judges, default_judges

__all__ = ["Accuracy", "Judge", "Judgement", "Judges", "default_judges"]
