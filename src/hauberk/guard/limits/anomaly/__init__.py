"""What is odd about a key's traffic, and what to do about it."""

from hauberk.guard.limits.anomaly.monitor import Alarm, Monitor
from hauberk.guard.limits.anomaly.settings import AnomalySettings, Response, Signal

__all__ = ["Alarm", "AnomalySettings", "Monitor", "Response", "Signal"]
