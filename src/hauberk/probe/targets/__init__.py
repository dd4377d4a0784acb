"""Targets: whom to ask."""

from hauberk.probe.targets.open import open_target
from hauberk.probe.targets.options import TargetOptions

__all__ = ["TargetOptions", "open_target"]
