"""Verdict: the decision on one asset, with what led to it."""

import msgspec

from hauberk.core.finding import Finding
from hauberk.core.gap import Gap
from hauberk.core.policy import Action, Admission


class Verdict(msgspec.Struct, frozen=True):
    """allow < flag < redact < ask < block; for static assets admit, hold and block."""

    action: Action
    findings: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()

    @property
    def admission(self) -> Admission:
        """The decision on the scale of `Admission`."""
        if self.action >= Action.BLOCK:
            return Admission.BLOCK
        return Admission.HOLD if self.action >= Action.ASK else Admission.ADMIT
