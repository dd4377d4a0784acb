"""`hauberk guard approvals`."""

import getpass
import time
from typing import TYPE_CHECKING, Any

import click

from hauberk.cli.errors import UserError
from hauberk.cli.guard.config import config_option, guard_settings_at

if TYPE_CHECKING:
    from hauberk.guard.approvals import Asked, SqliteLedger

_store = click.option("--store", metavar="FILE", help="Default: guard.approvals.store of the configuration.")
_by = click.option("--by", default="", metavar="NAME", help="Who answers. Default: your login name.")
_reason = click.option("--reason", required=True, help="Why; kept with the answer.")


@click.group("approvals")
def command() -> None:
    """List, approve and deny what waits for a person. No answer in time means no.

    \b
    Examples:
      hauberk guard approvals list --store approvals.db
      hauberk guard approvals approve 1f2e3d4c5b6a --store approvals.db --reason "asked the user"
    """  # noqa: D301 - the backspace is click's


@command.command("list")
@_store
@config_option
def list_waiting(**given: Any) -> None:
    """List what waits, oldest first."""
    from hauberk.guard.approvals import waiting

    for item in waiting(_ledger(given)):
        click.echo(_line(item))


@command.command("approve")
@click.argument("number")
@_store
@config_option
@_by
@_reason
def approve_one(**given: Any) -> None:
    """Let a request go on."""
    from hauberk.guard.approvals import ApprovalError, approve

    try:
        click.echo(_line(approve(_ledger(given), given["number"], given["by"] or getpass.getuser(), given["reason"])))
    except ApprovalError as error:
        raise UserError(str(error)) from error


@command.command("deny")
@click.argument("number")
@_store
@config_option
@_by
@_reason
def deny_one(**given: Any) -> None:
    """Refuse a request."""
    from hauberk.guard.approvals import ApprovalError, deny

    try:
        click.echo(_line(deny(_ledger(given), given["number"], given["by"] or getpass.getuser(), given["reason"])))
    except ApprovalError as error:
        raise UserError(str(error)) from error


def _ledger(given: dict[str, Any]) -> "SqliteLedger":
    import sqlite3

    from hauberk.guard.approvals import SqliteLedger
    from hauberk.guard.tables import tables_of
    from hauberk.policy.errors import PolicyError

    try:
        path = given["store"] or tables_of(guard_settings_at(given["config"])).approvals.store
        if not path:
            raise UserError("where is the queue? give --store FILE, or write guard.approvals.store into hauberk.toml")
        return SqliteLedger(path)
    except (PolicyError, OSError, sqlite3.Error) as error:
        raise UserError(str(error)) from error


def _line(item: "Asked") -> str:
    left = max(0, round(item.expires - time.time()))
    head = f"{item.id}  {item.state.value}  {item.what}  asked by {item.who}"
    if item.state.value == "pending":
        head += f"  {left} s left"
    return "\n".join((head, *(f"    {title}" for title in item.findings), *((f"    {item.preview}",) if item.preview else ())))
