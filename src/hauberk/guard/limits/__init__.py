"""Rates, token limits, budgets, fair queueing and shedding; in memory, or shared between replicas through Redis."""
