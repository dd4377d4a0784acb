"""`hauberk guard limits`."""

from typing import Any

import click
import msgspec

from hauberk.cli.errors import UserError
from hauberk.cli.guard.config import config_option, guard_settings_at
from hauberk.cli.output import emit

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - listened at, and no address to connect to


@click.group("limits")
def command() -> None:
    """Export the limits for what stands in front of the gateway.

    \b
    Examples:
      hauberk guard limits export nftables | sudo nft -f -
      hauberk guard limits export haproxy -o hauberk.cfg
      hauberk guard limits export nginx --port 443 --source-connections 32
    """  # noqa: D301 - the backspace is click's


@command.command("export")
@click.argument("form", type=click.Choice(("nftables", "haproxy", "nginx")))
@config_option
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Port that clients connect to. Default: the gateway's own for nftables, 8000 for a proxy in front.",
)
@click.option("--source-connections", type=click.IntRange(1), default=64, help="At a time and source. Default: 64.")
@click.option("--source-rate", type=click.IntRange(1), default=50, help="New connections a second and source. Default: 50.")
@click.option("--ban", type=click.IntRange(1), default=600, help="Seconds that nftables drops who goes on. Default: 600.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write here instead of to stdout.")
def export(**given: Any) -> None:
    """Write rules that match the limits of the configuration, for layer 4 and 7 in front."""
    from hauberk.guard.limits import export as writer
    from hauberk.guard.tables import tables_of
    from hauberk.policy.errors import PolicyError

    settings = guard_settings_at(given["config"])
    host, port = settings.address
    front = msgspec.structs.replace(
        writer.Front(),
        port=given["port"] or (port if given["form"] == "nftables" else 8000),
        upstream=f"{_EVERYWHERE.get(host, f'[{host}]' if ':' in host else host)}:{port}",
        tls=bool(settings.tls_certificate),
        source_connections=given["source_connections"],
        source_rate=given["source_rate"],
        ban=given["ban"],
        body=settings.bounds.body,
    )
    try:
        front.check()
        limits = tables_of(settings).limits
        if given["form"] == "nftables":
            text = writer.nftables(front)
        else:
            text = (writer.haproxy if given["form"] == "haproxy" else writer.nginx)(front, limits)
    except (PolicyError, ValueError) as error:
        raise UserError(str(error)) from error
    emit(text.encode(), given["output"])
