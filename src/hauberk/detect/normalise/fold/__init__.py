"""Folding: the same text without unseen characters, in plain letters."""
