"""`hauberk report`."""

import sys
from typing import TYPE_CHECKING

import click

from hauberk.assets.quoting import quote
from hauberk.cli.errors import UserError
from hauberk.cli.output import (
    emit,
    format_of,
    format_option,
    language_of,
    language_option,
    output_option,
    rendered,
    wants_colour,
)

if TYPE_CHECKING:
    from hauberk.store import Store

_EXAMPLES = """
\b
Examples:
  hauberk report --last                       the last run, on the terminal
  hauberk report --list                       the recorded runs
  hauberk report 4f2a91c0d7e3 -o report.html  a run by its id
  hauberk report --diff A B                   what is new, fixed and unchanged from run A to run B
"""


@click.command("report", epilog=_EXAMPLES)
@click.argument("run_id", required=False)
@click.option("--last", is_flag=True, help="The last run.")
@click.option("--list", "list_", is_flag=True, help="List the recorded runs.")
@click.option("--diff", nargs=2, metavar="A B", help="Compare two runs; 'last' names the last one.")
@format_option
@output_option
@language_option
@click.option("--store", metavar="URL", help="Record of runs: a path, sqlite:///path or postgresql://...")
@click.option(
    "--config",
    type=click.Path(dir_okay=False),
    help="Default: hauberk.toml or [tool.hauberk], here or up to the top of the git checkout.",
)
def command(
    *,
    run_id: str | None,
    last: bool,
    list_: bool,
    diff: tuple[str, str] | None,
    format_: str | None,
    output: str | None,
    lang: str | None,
    store: str | None,
    config: str | None,
) -> None:
    """Show a recorded run again, in any format, or the difference of two."""
    from hauberk.cli.settings import load_settings
    from hauberk.policy.errors import PolicyError
    from hauberk.rules import load_pack
    from hauberk.store import Store, StoreError

    if sum((bool(run_id), last, list_, bool(diff))) != 1:
        raise UserError("name one run id, or one of --last, --list, --diff A B")
    language, name = language_of(lang), format_of(format_, output)
    try:
        with Store.open(store or load_settings(config).scan.store) as records:
            if list_:
                emit(_listing(records).encode(), output)
                return
            if diff:
                emit(_difference(records, diff, name, language), output)
                return
            run = records.last_run() if last else records.load_run(run_id or "")
            if run is None:
                raise UserError("no run is recorded yet; hauberk scan records one" if last else f"no run {run_id!r}; see --list")
    except (StoreError, PolicyError) as error:
        raise UserError(str(error)) from error
    emit(rendered(run, load_pack(), name, language, colour=wants_colour() and not output), output)
    sys.exit(0)


def _listing(records: "Store") -> str:
    """One line a run, newest first."""
    lines = ["id            started              exit  assets  findings  gaps  targets"]
    for run in records.list_runs():
        state = str(run.exit_code) if run.complete else "cut"
        figures = f"{state:>4}  {run.assets:>6}  {run.findings:>8}  {run.gaps:>4}"
        lines.append(f"{run.id:12}  {run.started[:19]:19}  {figures}  {quote(' '.join(run.targets))}")
    return "\n".join(lines) + "\n"


def _difference(records: "Store", names: tuple[str, str], form: str, language: str) -> bytes:
    from hauberk.report import diff
    from hauberk.rules import load_pack

    try:
        return diff.render(records.diff(*names), load_pack(), language, form)
    except ValueError as error:
        raise UserError(f"{error}; a comparison is written as plain, json or md") from error
