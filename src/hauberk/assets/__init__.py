"""Readers of hostile input: bytes in, facts, members and gaps out. Nothing read here is ever executed or imported."""
