"""Pickle: the opcode machine, recognition by trial, and what is stacked on it."""
