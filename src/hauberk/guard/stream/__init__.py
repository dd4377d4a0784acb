"""Guarding an answer while it streams."""
