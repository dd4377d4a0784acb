"""`hauberk scan`."""

import sys
from typing import Any

import click
import msgspec

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
from hauberk.cli.settings import Settings, load_settings, overridden
from hauberk.core import Run
from hauberk.rules import RulePack

_EXAMPLES = """
\b
Examples:
  hauberk scan model.pt                            one file
  hauberk scan ./repo -o report.html               a repository, for a manager
  hauberk scan ./repo -o bom.cdx.json              its ML bill of materials
  hauberk scan ~/.cache/huggingface/hub            everything you ever downloaded
  hauberk scan https://host/model.safetensors      a URL (at most --url-limit bytes)
  hauberk scan --env .venv                         an installed environment
  cat model.pkl | hauberk scan -                   stdin
  hauberk scan ./repo --write-baseline base.json   accept what is there today
  hauberk scan ./repo --baseline base.json         and report only what is new

Exit codes: 0 clean and complete, 1 an asset is held or blocked (--fail-on), 2 usage or
tool error, 3 nothing bad found but something was not looked at (see the gaps).
"""


class _Asked(msgspec.Struct, frozen=True):
    """The command line as it was given."""

    targets: tuple[str, ...]
    env: str | None
    format_: str | None
    output: str | None
    lang: str | None
    config: str | None
    fail_on: str | None
    baseline: str | None
    write_baseline: str | None
    no_hash: bool
    jobs: int
    exclude: tuple[str, ...]
    timeout: float | None
    url_limit: int | None
    resume: bool
    rescan: bool
    store: str | None
    no_store: bool
    exit_zero: bool
    quiet: bool


@click.command("scan", epilog=_EXAMPLES)
@click.argument("targets", nargs=-1, metavar="[PATH|URL|-]...")
@click.option("--env", is_flag=False, flag_value="", metavar="[PREFIX]", help="Scan an installed Python environment.")
@format_option
@output_option
@language_option
@click.option(
    "--config",
    type=click.Path(dir_okay=False),
    help="Default: hauberk.toml or [tool.hauberk], here or up to the top of the git checkout.",
)
@click.option("--fail-on", type=click.Choice(("hold", "block")), help="The verdict from which the exit code is 1. Default: hold.")
@click.option("--baseline", type=click.Path(dir_okay=False), help="Accept the findings recorded in this file.")
@click.option("--write-baseline", type=click.Path(dir_okay=False), help="Record the findings of this run.")
@click.option("--no-hash", is_flag=True, help="Read headers and programs only: fast, and said so as a gap.")
@click.option("-j", "--jobs", type=click.IntRange(0, 256), default=0, help="Workers. Default: one a core.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave these out (repeatable); counted as a gap.")
@click.option("--timeout", type=click.FloatRange(0.1), metavar="SECONDS", help="Per file. Default: 120.")
@click.option("--url-limit", type=click.IntRange(1), metavar="BYTES", help="Most bytes taken from a URL or stdin. Default: 8 GiB.")
@click.option("--resume", is_flag=True, help="Go on from the last interrupted scan of the same targets.")
@click.option("--rescan", is_flag=True, help="Look at everything again, known or not.")
@click.option("--store", metavar="URL", help="Record of runs: a path, sqlite:///path or postgresql://...")
@click.option("--no-store", is_flag=True, help="Leave no record.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 whatever is found (for uploads).")
@click.option("-q", "--quiet", is_flag=True, help="No progress, no summary.")
def command(**given: Any) -> None:
    """Look into models, archives, repositories and environments before they are loaded.

    Nothing that is scanned is executed, imported or unpickled. What could not be looked at is a gap, never "clean".
    """
    asked = _Asked(**given)
    if not asked.targets and asked.env is None:
        raise UserError("nothing to scan; name a path, a URL, '-' for stdin, or --env")
    sys.exit(_scan(asked))


def _scan(asked: _Asked) -> int:
    from hauberk.policy.baseline import read_baseline, write_baseline
    from hauberk.policy.errors import PolicyError
    from hauberk.rules.load import RuleFileError, load_pack
    from hauberk.scan.recorder import opened_recorder
    from hauberk.scan.session import Session
    from hauberk.scan.spool import TargetError
    from hauberk.scan.targets import Targets, environment_paths
    from hauberk.store import StoreError

    try:
        settings = overridden(load_settings(asked.config), asked)
        pack = load_pack()
        environments = tuple(environment_paths(asked.env)) if asked.env is not None else ()
        targets = Targets(asked.targets, environments)
        baseline = read_baseline(asked.baseline) if asked.baseline else None
        store = None if asked.no_store else asked.store or settings.store
        with opened_recorder(store, pack, settings.options) as recorder:
            session = Session(pack, settings.policy, settings.options, recorder, baseline=baseline, quiet=asked.quiet)
            run = session.run(targets, resume=recorder.resumable(targets.all) if asked.resume else "")
        if asked.write_baseline:
            write_baseline(run, asked.write_baseline)
        run = _with_notices(run, pack, settings, targets.all)
    except (TargetError, StoreError, PolicyError, RuleFileError) as error:
        raise UserError(str(error)) from error
    language, name = language_of(asked.lang), format_of(asked.format_, asked.output)
    emit(rendered(run, pack, name, language, colour=wants_colour() and not asked.output), asked.output)
    if asked.output and not asked.quiet:
        click.echo(rendered(run, pack, "summary", language), err=True, nl=False)
    return 0 if asked.exit_zero else run.exit_code


def _with_notices(run: Run, pack: RulePack, settings: Settings, targets: tuple[str, ...]) -> Run:
    from hauberk.policy.config import config_in_target, unknown_names

    lines = unknown_names(settings.policy, (rule.id for rule in pack.rules), pack.taxonomy["risks"])
    inside = config_in_target(settings.config, targets)
    return msgspec.structs.replace(run, notices=(*run.notices, *lines, *((inside,) if inside else ())))
