"""The engine: plan, budget, journal, run."""

from hauberk.probe.engine.errors import EngineError
from hauberk.probe.engine.reading import results, transcript, transcripts

__all__ = ["EngineError", "results", "transcript", "transcripts"]
