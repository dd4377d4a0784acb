"""Engines that hold rules against assets. Pure and synchronous; no I/O beyond the asset's own content."""

from hauberk.detect.bench import Bench

__all__ = ["Bench"]
