"""`hauberk guard keys`."""

import getpass
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import click
import msgspec

from hauberk.cli.errors import UserError
from hauberk.cli.guard.config import config_option, guard_settings_at

if TYPE_CHECKING:
    from hauberk.guard.keys import AdminEvent, KeyAdmin, KeyView
    from hauberk.store.audit.log import AuditLog

_store = click.option("--store", metavar="FILE", help="Where the keys are kept. Default: guard.keys.store of the configuration.")
_by = click.option("--by", default="", metavar="NAME", help="Who does this, for the audit log. Default: your login name.")
_reason = click.option("--reason", required=True, help="Why; shown in the list and kept in the audit log.")
DAY = 86_400.0


@click.group("keys")
def command() -> None:
    """Create, list, suspend, resume, revoke and rotate virtual keys.

    \b
    Examples:
      hauberk guard keys create --store keys.db --name ci --models 'qwen*' --tokens 100000
      hauberk guard keys list --store keys.db
      hauberk guard keys revoke key_1f2e3d --store keys.db --reason "laptop stolen"

    A running gateway sees a change within a second.
    """  # noqa: D301 - the backspace is click's


@command.command("create")
@_store
@config_option
@_by
@click.option("--name", required=True, help="What the key is for.")
@click.option("--tenant", default="", help="Whom it belongs to; the queue is fair between tenants.")
@click.option("--models", multiple=True, metavar="GLOB", help="Models it may use (repeatable). Default: all.")
@click.option("--routes", multiple=True, metavar="GLOB", help="Paths it may call. Default: all.")
@click.option("--tools", multiple=True, metavar="GLOB", help="Tools that its requests may offer. Default: all.")
@click.option("--networks", multiple=True, metavar="CIDR", help="Where it may come from. Default: anywhere.")
@click.option("--requests", type=click.IntRange(1), help="Requests a minute.")
@click.option("--tokens", type=click.IntRange(1), help="Tokens a minute.")
@click.option("--concurrency", type=click.IntRange(1), help="Requests at a time.")
@click.option("--daily-tokens", type=click.FloatRange(1), help="Tokens a day (UTC).")
@click.option("--monthly-money", type=click.FloatRange(0.01), help="Money a month, by the price list in guard.limits.prices.")
@click.option("--days", type=click.FloatRange(0.01), help="Days until it expires.")
def create(**given: Any) -> None:
    """Create a key and show its token, once."""
    from hauberk.guard.keys import Terms
    from hauberk.guard.limits.quota import Budget, Period, Quota, Unit

    budgets: list[Budget] = []
    if given["daily_tokens"]:
        budgets.append(Budget(given["daily_tokens"]))
    if given["monthly_money"]:
        budgets.append(Budget(given["monthly_money"], Unit.MONEY, Period.MONTH))
    terms = Terms(
        name=given["name"],
        tenant=given["tenant"],
        models=given["models"] or ("*",),
        routes=given["routes"] or ("*",),
        tools_allow=given["tools"] or ("*",),
        networks=given["networks"],
        quota=Quota(given["requests"], given["tokens"], given["concurrency"], tuple(budgets)),
        expires=time.time() + given["days"] * DAY if given["days"] else None,
    )
    with _admin(given, making=True) as admin:
        view, token = admin.create(terms, _who(given))
    click.echo(f"{view.id}  {view.terms.name}", err=True)
    click.echo("The token is shown this once:", err=True)
    click.echo(token)


@command.command("list")
@_store
@config_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_keys(**given: Any) -> None:
    """List the keys, oldest first; tokens are not kept and cannot be shown."""
    with _admin(given) as admin:
        views = admin.list()
    if given["as_json"]:
        click.echo(msgspec.json.format(msgspec.json.encode(views), indent=2))
        return
    for view in views:
        click.echo(_line(view))


@command.command("suspend")
@click.argument("key_id")
@_store
@config_option
@_by
@_reason
def suspend(**given: Any) -> None:
    """Close a key until it is resumed."""
    with _admin(given) as admin:
        click.echo(_line(admin.suspend(given["key_id"], _who(given), given["reason"])))


@command.command("resume")
@click.argument("key_id")
@_store
@config_option
@_by
@_reason
def resume(**given: Any) -> None:
    """Open a suspended key again."""
    with _admin(given) as admin:
        click.echo(_line(admin.resume(given["key_id"], _who(given), given["reason"])))


@command.command("revoke")
@click.argument("key_id")
@_store
@config_option
@_by
@_reason
def revoke(**given: Any) -> None:
    """Close a key for good."""
    with _admin(given) as admin:
        click.echo(_line(admin.revoke(given["key_id"], _who(given), given["reason"])))


@command.command("rotate")
@click.argument("key_id")
@_store
@config_option
@_by
@click.option("--grace", type=click.FloatRange(0), default=24.0, help="Hours that the old token still works. Default: 24.")
def rotate(**given: Any) -> None:
    """Give a key a new token; the old one works for a while yet."""
    with _admin(given, making=True) as admin:
        view, token = admin.rotate(given["key_id"], _who(given), given["grace"] * 3600)
    click.echo(_line(view), err=True)
    click.echo(token)


@contextmanager
def _admin(given: dict[str, Any], *, making: bool = False) -> "Generator[KeyAdmin]":
    """`making`: tokens are made, which takes the pepper; a key is closed without it."""
    import os

    from hauberk.cli.guard.admin_log import admin_log
    from hauberk.guard.keys import KeyAdmin, KeyProblem, KeyRing, KeyStoreError, SqliteKeyStore
    from hauberk.guard.tables import secret_in, tables_of
    from hauberk.policy.errors import PolicyError
    from hauberk.store.audit.errors import AuditError

    try:
        tables = tables_of(guard_settings_at(given["config"]))
        path = given["store"] or tables.keys.store
        if not path:
            raise UserError("where are the keys? give --store FILE, or write guard.keys.store into hauberk.toml")
        if not os.path.exists(path) and "name" not in given:  # only `create` begins a store: a mistyped name shall not
            raise UserError(f"{path}: there is no such store of keys; `hauberk guard keys create` makes one")
        pepper = secret_in(tables.keys.pepper_env, "keys.pepper-env") if making else b""
        store = SqliteKeyStore(path)
        log = admin_log(tables)
        try:
            yield KeyAdmin(KeyRing(store, pepper), partial(_logged, log))
        finally:
            store.close()
            if log:
                log.close()
    except (PolicyError, KeyProblem, KeyStoreError, AuditError) as error:
        raise UserError(str(error)) from error


def _logged(log: "AuditLog | None", event: "AdminEvent") -> None:
    """Raises AuditRefused, which undoes a change that gives access."""
    from hauberk.guard.gatekeeping import told

    if log is not None:
        log.append("key", told(event)).result(10)


def _who(given: dict[str, Any]) -> str:
    return given["by"] or getpass.getuser()


def _line(view: "KeyView") -> str:
    terms = view.terms
    parts = [view.id, f"…{view.hint}", view.status.value, terms.name]
    if terms.tenant:
        parts.append(f"tenant {terms.tenant}")
    if terms.models != ("*",):
        parts.append("models " + ",".join(terms.models))
    if terms.quota.tokens:
        parts.append(f"{terms.quota.tokens} tokens/min")
    if terms.expires:
        word = "expires" if terms.expires > time.time() else "EXPIRED"
        parts.append(time.strftime(f"{word} %Y-%m-%d %H:%M UTC", time.gmtime(terms.expires)))
    if view.reason:
        parts.append(f"({view.reason})")
    return "  ".join(parts)
