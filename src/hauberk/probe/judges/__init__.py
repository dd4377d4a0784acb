"""Judges: how a case ended."""
