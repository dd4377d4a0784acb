"""Inline defence: the gateway that stands in front of a model, and the same checks as a Python API."""

from hauberk.guard.api import Result, check
from hauberk.guard.checker import Checker

__all__ = ["Checker", "Result", "check"]
