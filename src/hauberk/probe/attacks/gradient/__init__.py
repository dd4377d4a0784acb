"""Attacks with the gradients of a local model; torch is imported where it is used."""
