"""The guard's settings from the configuration file and the command line."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from hauberk.cli.errors import UserError

if TYPE_CHECKING:
    from hauberk.guard.settings import GuardSettings

config_option = click.option(
    "--config", type=click.Path(dir_okay=False), help="Default: hauberk.toml, here or up to the top of the git checkout."
)


def guard_settings_at(config: str | None) -> "GuardSettings":
    """The `[guard]` table of the file named, else of the one found here or above, else the defaults. Raises UserError."""
    from hauberk.guard.settings import load_guard_settings
    from hauberk.policy.config import find_config
    from hauberk.policy.errors import PolicyError

    try:
        return load_guard_settings(config or find_config(Path.cwd()))
    except PolicyError as error:
        raise UserError(str(error)) from error


def with_upstream(settings: "GuardSettings", url: str, key_env: str, api: str) -> "GuardSettings":
    """`settings` with one upstream that serves every model, in the place of those in the file. Raises UserError."""
    from hauberk.guard.settings import guard_settings
    from hauberk.policy.errors import PolicyError

    upstream = {"name": "upstream", "base-url": url.rstrip("/"), "models": ["*"], "api": api, "key-env": key_env}
    try:
        made = guard_settings({"upstream": [upstream]})
    except PolicyError as error:
        raise UserError(str(error)) from error
    return msgspec.structs.replace(settings, upstream=made.upstream, model=())
