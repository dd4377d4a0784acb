"""Scenarios: simulated tools for a model that acts, so that what an attacker makes it do can be seen and hurts nobody."""

from hauberk.probe.scenarios.scenario import Scenario, ScenarioError, Tool, scenarios

__all__ = ["Scenario", "ScenarioError", "Tool", "scenarios"]
