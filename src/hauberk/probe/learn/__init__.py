"""The loop: what got through becomes, once approved, what the guard knows (以攻促防)."""

from hauberk.probe.learn.errors import LearnError

__all__ = ["LearnError"]
