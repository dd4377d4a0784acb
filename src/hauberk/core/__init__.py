"""The seven nouns every part of Hauberk speaks, and nothing else. Imports only msgspec."""

from hauberk.core.asset import Asset, Content, Fact, Kind
from hauberk.core.finding import Evidence, Finding, Rate
from hauberk.core.gap import Gap, GapReason
from hauberk.core.policy import Action, Admission, Entry, Policy, Suppression
from hauberk.core.rule import Confidence, Detector, Rule, Sample, Severity, Stage, Text
from hauberk.core.run import AssetRecord, Run, Versions
from hauberk.core.verdict import Verdict

__all__ = [
    "Action",
    "Admission",
    "Asset",
    "AssetRecord",
    "Confidence",
    "Content",
    "Detector",
    "Entry",
    "Evidence",
    "Fact",
    "Finding",
    "Gap",
    "GapReason",
    "Kind",
    "Policy",
    "Rate",
    "Rule",
    "Run",
    "Sample",
    "Severity",
    "Stage",
    "Suppression",
    "Text",
    "Verdict",
    "Versions",
]
