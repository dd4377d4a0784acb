"""Disguises, one a file; the folder is the registry."""
