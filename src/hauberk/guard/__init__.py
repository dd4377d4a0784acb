"""Inline defence: the gateway that stands in front of a model, and the same checks as a Python API."""
