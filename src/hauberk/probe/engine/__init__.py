"""The engine: plan, budget, journal, run."""
