"""Targets: whom to ask. What speaks to them is imported when one is opened."""

from hauberk.probe.targets.options import TargetOptions
from hauberk.probe.targets.target import Target

__all__ = ["TargetOptions", "open_target"]


def open_target(spec: str, options: TargetOptions | None = None) -> Target:
    """The target that `spec` names; see `hauberk.probe.targets.open`. Raises TargetError (SETUP)."""
    from hauberk.probe.targets.open import open_target as opened

    return opened(spec, options or TargetOptions())
