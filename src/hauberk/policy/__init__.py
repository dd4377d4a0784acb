"""From findings and gaps to a verdict, by an admission matrix that is data."""

from hauberk.policy.decide import decide
from hauberk.policy.default import DEFAULT_POLICY
from hauberk.policy.errors import PolicyError

__all__ = ["DEFAULT_POLICY", "PolicyError", "decide"]
