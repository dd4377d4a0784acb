"""Limits that several replicas share through Redis or Valkey: slices are leased, so that the hot path stays local."""

from hauberk.guard.limits.shared.meter import SharedMeter
from hauberk.guard.limits.shared.replica import Replica, SharedError

__all__ = ["Replica", "SharedError", "SharedMeter"]
