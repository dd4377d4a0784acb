"""`hauberk guard serve`."""

import logging
from typing import TYPE_CHECKING, Any

import click
import msgspec

from hauberk.cli.errors import UserError
from hauberk.cli.guard.config import config_option, guard_settings_at, with_upstream

if TYPE_CHECKING:
    from hauberk.guard.settings import GuardSettings

_EXAMPLES = """
\b
Examples:
  hauberk guard serve --upstream http://127.0.0.1:8080/v1
  hauberk guard serve --upstream https://api.openai.com/v1 --key-env OPENAI_API_KEY
  hauberk guard serve --config hauberk.toml        keys, limits, audit: see docs/guard.md

Then, with the client you have:
  OpenAI(base_url="http://127.0.0.1:8040/v1")
"""


@click.command("serve", epilog=_EXAMPLES)
@config_option
@click.option("--upstream", metavar="URL", help="One upstream for every model, in the place of those in the configuration.")
@click.option("--key-env", default="", metavar="NAME", help="Environment variable that holds the upstream's key.")
@click.option("--api", type=click.Choice(("openai", "anthropic")), default="openai", help="What the upstream speaks.")
@click.option("--listen", metavar="HOST:PORT", help="Default: 127.0.0.1:8040.")
@click.option("--workers", type=click.IntRange(1, 256), help="Processes that share the port. Default: 1.")
@click.option("--audit", metavar="FOLDER", help="Keep the audit log here.")
@click.option("--keys", metavar="FILE", help="Ask for virtual keys, kept here (see: hauberk guard keys).")
@click.option("--no-detect", is_flag=True, help="Pass on without looking: keys, limits and log only.")
def command(**given: Any) -> None:
    """Run the gateway: stops on SIGTERM after a drain, reads its configuration again on SIGHUP."""
    _check_installed()
    from hauberk.guard.assembly import Assembly
    from hauberk.guard.gateway.serve import serve
    from hauberk.guard.tables import tables_of
    from hauberk.policy.errors import PolicyError

    logging.basicConfig(level=logging.WARNING, format="hauberk: %(levelname)s %(message)s")
    settings = _settings(given)
    if not settings.upstream:
        raise UserError("no upstream to stand in front of; give --upstream URL, or write [[guard.upstream]] into hauberk.toml")
    try:
        tables_of(settings)
    except PolicyError as error:
        raise UserError(str(error)) from error
    try:
        serve(settings, Assembly().make, lambda: _reread(given), lambda address: _greet(address, settings))
    except (OSError, PolicyError) as error:
        raise UserError(f"cannot serve: {error}") from error


def _settings(given: dict[str, Any]) -> "GuardSettings":
    from hauberk.guard.settings import guard_settings
    from hauberk.policy.errors import PolicyError

    settings = guard_settings_at(given["config"])
    if given["upstream"]:
        settings = with_upstream(settings, given["upstream"], given["key_env"], given["api"])
    changes: dict[str, Any] = {name: given[name] for name in ("listen", "workers") if given[name]}
    if given["audit"]:
        changes["audit"] = {**settings.audit, "folder": given["audit"]}
    if given["keys"]:
        changes["keys"] = {**settings.keys, "store": given["keys"]}
    if given["no_detect"]:
        changes["detect"] = {**settings.detect, "enabled": False}
    try:
        guard_settings({"listen": changes.get("listen", settings.listen)})
    except PolicyError as error:
        raise UserError(str(error)) from error
    return msgspec.structs.replace(settings, **changes)


def _reread(given: dict[str, Any]) -> "GuardSettings":
    """The settings as they are now. Raises ValueError, which leaves the former ones in force."""
    try:
        return _settings(given)
    except UserError as error:
        raise ValueError(error.format_message()) from error


def _greet(address: str, settings: "GuardSettings") -> None:
    from hauberk.guard.tables import tables_of

    tables = tables_of(settings)
    click.echo(f"hauberk guard listens on {address}  (base URL for clients: {address}/v1)", err=True)
    names = ", ".join(upstream.base_url for upstream in settings.upstream)
    click.echo(f"  in front of {names}; fails {settings.fail.value}", err=True)
    if not tables.detect.enabled:
        click.echo("  detection is off: nothing is looked at", err=True)
    host = settings.address[0]
    if not tables.keys.store and host not in {"127.0.0.1", "::1", "localhost"}:
        click.echo("  WARNING: no keys are asked for, and other machines can reach this address (see --keys)", err=True)
    if not tables.audit.folder:
        click.echo("  no audit log is kept (see --audit)", err=True)


def _check_installed() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("uvicorn", "httptools", "uvloop", "cryptography", "prometheus_client") if find_spec(name) is None]
    if missing:
        raise UserError(f"the gateway needs {', '.join(missing)}; install them with: pip install 'hauberk[guard]'")
