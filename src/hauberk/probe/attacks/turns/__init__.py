"""Attacks that are more than a text, one a file; the folder is the registry."""
