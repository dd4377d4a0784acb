"""Targets: whom to ask."""
