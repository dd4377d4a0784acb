"""Attacks: how to ask."""
