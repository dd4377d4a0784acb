"""Attacks: how to ask. By name, from the folders, or put together."""

from hauberk.probe.attacks.compose import CompositionError, compose
from hauberk.probe.attacks.reading import AttackFileError
from hauberk.probe.attacks.registry import all_attacks, all_disguises, with_folder
from hauberk.probe.attacks.twins import twin_of

__all__ = ["AttackFileError", "CompositionError", "all_attacks", "all_disguises", "compose", "twin_of", "with_folder"]
