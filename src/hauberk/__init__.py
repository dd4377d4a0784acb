"""Hauberk 链甲: guards a large model along its whole life."""

__version__ = "0.1.0"
