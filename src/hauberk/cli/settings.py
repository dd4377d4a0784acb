"""From configuration file and command line to what a scan works with."""

from pathlib import Path
from typing import Protocol

import msgspec

from hauberk.core import Admission, Policy
from hauberk.policy.config import Config, find_config, load_config
from hauberk.scan.options import ScanOptions


class Asked(Protocol):
    """The part of a command line that overrides the configuration."""

    @property
    def fail_on(self) -> str | None: ...
    @property
    def no_hash(self) -> bool: ...
    @property
    def jobs(self) -> int: ...
    @property
    def exclude(self) -> tuple[str, ...]: ...
    @property
    def timeout(self) -> float | None: ...
    @property
    def url_limit(self) -> int | None: ...
    @property
    def rescan(self) -> bool: ...


class Settings(msgspec.Struct, frozen=True):
    """What a scan works with. `store` is "" for the user's own record."""

    policy: Policy
    options: ScanOptions
    store: str
    config: Config


def load_settings(path: str | None) -> Config:
    """The configuration named, else the one found here or above, else the defaults. Raises PolicyError."""
    return load_config(path or find_config(Path.cwd()))


def overridden(config: Config, asked: Asked) -> Settings:
    """`config` with what the command line says instead."""
    replace = msgspec.structs.replace
    limits = replace(config.limits, seconds=asked.timeout) if asked.timeout else config.limits
    options = ScanOptions(
        limits=limits,
        hashing=config.scan.hash and not asked.no_hash,
        jobs=asked.jobs,
        exclude=(*config.scan.exclude, *asked.exclude),
        rescan=asked.rescan,
    )
    if asked.url_limit:
        options = replace(options, url_limit=asked.url_limit)
    policy = replace(config.policy, fail_on=Admission(asked.fail_on)) if asked.fail_on else config.policy
    return Settings(policy=policy, options=options, store=config.scan.store, config=config)
