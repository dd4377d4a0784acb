"""Attacks that try, look at the answer, and try better."""
