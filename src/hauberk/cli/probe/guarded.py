"""`hauberk probe guarded`: the same attacks without and with the guard in front."""

import sys
from typing import TYPE_CHECKING, Any

import click

from hauberk.cli.errors import UserError
from hauberk.cli.output import emit, language_of, language_option, output_option
from hauberk.cli.probe.options import (
    choice_options,
    config_option,
    format_option,
    grading_options,
    pacing_options,
    runs_option,
    store_options,
    target_options,
)

if TYPE_CHECKING:
    from hauberk.cli.probe.table import ProbeTable
    from hauberk.probe.engine.conclude import Conclusion
    from hauberk.probe.engine.folder import RunFolder

_EXAMPLES = """
\b
Examples:
  hauberk probe guarded http://127.0.0.1:8000/v1 --model qwen
  hauberk probe guarded http://127.0.0.1:8000/v1 --model qwen --suite standard -o difference.html
  hauberk probe guarded https://api.example.com/v1 --api-key-env API_KEY --guard-config hauberk.toml

Exit codes: as hauberk probe run, for the run with the guard in front.
"""


@click.command("guarded", epilog=_EXAMPLES)
@click.argument("target")
@click.option(
    "--guard-config", metavar="FILE", default="", help="Settings of the guard, as hauberk guard serve --config takes them."
)
@target_options
@choice_options
@pacing_options
@grading_options
@click.option("-y", "--yes", is_flag=True, help="Ask no question before sending.")
@format_option
@output_option
@language_option
@runs_option
@store_options
@config_option
@click.option("--exit-zero", is_flag=True, help="Exit 0 whatever is found (for uploads).")
@click.option("-q", "--quiet", is_flag=True, help="No plan, no progress.")
def command(**given: Any) -> None:
    """Attack TARGET, then once more through a guard that is started in front of it, and show the difference.

    Both runs ask the same and are kept (--runs); the report is that of the guarded run, compared with the other.
    """
    from hauberk.cli.probe.parts import told

    with told():
        code = _guarded({**given, "resume": None, "resend": False})
    sys.exit(0 if given["exit_zero"] else code)


def _guarded(given: dict[str, Any]) -> int:
    from hauberk.cli.probe.gateway import gateway
    from hauberk.cli.probe.page import format_of as form_of
    from hauberk.cli.probe.page import note, page
    from hauberk.cli.probe.table import table_of

    table = table_of(given["config"], given)
    if not table.target.startswith(("http://", "https://")):
        raise UserError(f"{table.target}: only the base URL of an OpenAI-compatible API can have the guard in front")
    language = language_of(given["lang"])
    with gateway(table.target, table.api_key_env, given["guard_config"]) as url:
        note("without the guard")
        bare, before = _run(given, table)
        try:
            note("with the guard in front")
            through = {**given, "target": url, "api_key_env": "", "yes": True}
            kept, after = _run(through, table_of(given["config"], through))
        finally:
            bare.close()
    try:
        made = page(
            kept.path,
            kept.manifest,
            after,
            form_of(given["format_"], given["output"]),
            language,
            compared=(bare.manifest, before.graded),
            colour=False if given["output"] else None,
        )
    finally:
        kept.close()
    emit(made, given["output"])
    if not given["quiet"]:
        _difference(before, after, bare, kept)
    return after.exit_code


def _run(given: dict[str, Any], table: "ProbeTable") -> "tuple[RunFolder, Conclusion]":
    from hauberk.cli.probe.page import note, profiles_of
    from hauberk.cli.probe.run import begun
    from hauberk.probe.engine.conclude import conclude
    from hauberk.probe.engine.threshold import DEFAULT, threshold

    folder, ending = begun(given, table)
    for line in ending.notices:
        note(line)
    if ending.why:
        folder.close()
        raise UserError(f"ended early: {ending.why}; hauberk probe --resume {folder.manifest.id} goes on")
    thresholds = tuple(threshold(text) for text in table.fail_on or DEFAULT)
    return folder, conclude(folder.path, folder.manifest, thresholds, profiles_of(table.profiles), ending=ending)


def _difference(before: "Conclusion", after: "Conclusion", bare: "RunFolder", kept: "RunFolder") -> None:
    from hauberk.cli.probe.page import note
    from hauberk.probe.report import show

    one, other = before.graded, after.graded
    note(f"attack success: {show.rate(one.overall)} without, {show.rate(other.overall)} with the guard")
    note(f"over-refusal: {show.rate(one.over_refusal.true)} without, {show.rate(other.over_refusal.true)} with the guard")
    note(f"runs {bare.manifest.id} and {kept.manifest.id} are in {bare.path} and {kept.path}")
