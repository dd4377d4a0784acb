"""Rules as data, their taxonomy, and the loader."""

from hauberk.rules.load import RulePack, load_pack

__all__ = ["RulePack", "load_pack"]
