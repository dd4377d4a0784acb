"""`hauberk guard approvals`."""

import getpass
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hauberk.assets.quoting import quote
from hauberk.cli.errors import UserError
from hauberk.cli.guard.config import config_option, guard_settings_at

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from hauberk.guard.approvals import Asked, SqliteLedger
    from hauberk.guard.tables import Tables

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

    with _queue(given) as (ledger, _):
        items = waiting(ledger)
        for item in items:
            click.echo(_line(item))
        if not items:
            click.echo("nothing waits for an answer", err=True)


@command.command("approve")
@click.argument("number")
@_store
@config_option
@_by
@_reason
def approve_one(**given: Any) -> None:
    """Let a request go on."""
    from hauberk.guard.approvals import approve

    _answered("approve", approve, given)


@command.command("deny")
@click.argument("number")
@_store
@config_option
@_by
@_reason
def deny_one(**given: Any) -> None:
    """Refuse a request."""
    from hauberk.guard.approvals import deny

    _answered("deny", deny, given)


def _answered(act: str, answer: "Callable[[SqliteLedger, str, str, str], Asked]", given: dict[str, Any]) -> None:
    """Logs what an operator does before it is done: nobody lets a request pass that the log knows nothing of."""
    from hauberk.cli.guard.admin_log import admin_log
    from hauberk.guard.approvals import ApprovalError
    from hauberk.store.audit.errors import AuditError

    by = given["by"] or getpass.getuser()
    with _queue(given) as (ledger, tables):
        try:
            log = admin_log(tables)
            try:
                if log is not None:
                    entry = {"event": act, "id": quote(given["number"], 60), "by": by, "reason": given["reason"]}
                    log.append("approval", entry).result(10)
                click.echo(_line(answer(ledger, given["number"], by, given["reason"])))
            finally:
                if log is not None:
                    log.close()
        except (ApprovalError, AuditError, TimeoutError) as error:
            raise UserError(str(error)) from error


@contextmanager
def _queue(given: dict[str, Any]) -> "Generator[tuple[SqliteLedger, Tables]]":
    import sqlite3

    from hauberk.guard.approvals import SqliteLedger
    from hauberk.guard.tables import tables_of
    from hauberk.policy.errors import PolicyError

    try:
        tables = tables_of(guard_settings_at(given["config"]))
        path = given["store"] or tables.approvals.store
        if not path:
            raise UserError("where is the queue? give --store FILE, or write guard.approvals.store into hauberk.toml")
        if not Path(path).is_file():
            raise UserError(
                f"there is no queue at {quote(path, 200)}, so no question waits; the gateway makes the file when it starts"
            )
        ledger = SqliteLedger(path)
        try:
            yield ledger, tables
        finally:
            ledger.close()
    except (PolicyError, OSError, sqlite3.Error) as error:
        raise UserError(str(error)) from error


def _line(item: "Asked") -> str:
    left = max(0, round(item.expires - time.time()))
    head = f"{item.id}  {item.state.value}  {item.what}  asked by {item.who}"
    if item.state.value == "pending":
        head += f"  {left} s left"
    return "\n".join((head, *(f"    {title}" for title in item.findings), *((f"    {item.preview}",) if item.preview else ())))
