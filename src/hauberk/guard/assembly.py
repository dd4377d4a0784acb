"""Puts the parts together as the settings say."""

from hauberk.guard.checker import Checker
from hauberk.guard.policy_table import message_policy
from hauberk.guard.settings import GuardSettings


def checker_of(settings: GuardSettings) -> Checker:
    """The rules of this installation under the policy of `settings`. Raises PolicyError."""
    return Checker(policy=message_policy(settings.policy, fail=settings.fail.value))
