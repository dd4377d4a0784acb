"""Attacks on models that act: an attacker's order stands in what a tool gives, or in a tool's description."""
