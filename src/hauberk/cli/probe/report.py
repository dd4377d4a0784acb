"""`hauberk probe report`."""

import sys
from typing import TYPE_CHECKING, Any

import click

from hauberk.cli.output import emit, language_of, language_option, output_option
from hauberk.cli.probe.options import config_option, format_option, grading_options, runs_option

if TYPE_CHECKING:
    from hauberk.probe.engine.folder import Manifest

_EXAMPLES = """
\b
Examples:
  hauberk probe report                                  the last run
  hauberk probe report 3f9c -o report.html              for a manager
  hauberk probe report 3f9c --compare 77ab              what got better and what got worse
  hauberk probe report --profile tc260-003 --lang zh
  hauberk probe report -f junit --fail-on 'asr>5%'      for a CI server

Exit codes: as hauberk probe run.
"""


@click.command("report", epilog=_EXAMPLES)
@click.argument("run", default="last")
@click.option("--compare", metavar="RUN", help="An earlier run to compare with.")
@click.option("--reference", metavar="RUN", help="The run of a reference model, for AILuminate's relative grades.")
@grading_options
@format_option
@output_option
@language_option
@runs_option
@config_option
@click.option("--exit-zero", is_flag=True, help="Exit 0 whatever is found.")
def command(**given: Any) -> None:
    """Show a run again, in any format, or compared with another."""
    from hauberk.cli.probe.page import format_of, page, profiles_of
    from hauberk.cli.probe.parts import told
    from hauberk.cli.probe.table import table_of
    from hauberk.probe.engine.conclude import conclude
    from hauberk.probe.engine.folder import find, read_manifest
    from hauberk.probe.engine.threshold import DEFAULT, threshold

    with told():
        table = table_of(given["config"], given)
        thresholds = tuple(threshold(text) for text in table.fail_on or DEFAULT)
        path = find(table.runs, given["run"])
        manifest = read_manifest(path)
        reference, notices = None, list[str]()
        if given["reference"]:
            base = find(table.runs, given["reference"])
            notices += other_plan("reference", read_manifest(base), manifest)
            risks = conclude(base, read_manifest(base), ()).graded.risks
            reference = {rated.name: rated.success.true for rated in risks if rated.success.trials}
        conclusion = conclude(path, manifest, thresholds, profiles_of(table.profiles), reference)
        compared = None
        if given["compare"]:
            other = find(table.runs, given["compare"])
            before = read_manifest(other)
            notices += other_plan("compared", before, manifest)
            compared = before, conclude(other, before, ()).graded
        form, language = format_of(given["format_"], given["output"]), language_of(given["lang"])
        colour = False if given["output"] else None
        made = page(path, manifest, conclusion, form, language, notices=notices, compared=compared, colour=colour)
    emit(made, given["output"])
    sys.exit(0 if given["exit_zero"] else conclusion.exit_code)


def other_plan(what: str, other: "Manifest", manifest: "Manifest") -> list[str]:
    """A line when another run asked other things: its rates differ for that reason too."""
    names = ("choice", "sampling")
    differs = [name for name in names if getattr(other.settings, name) != getattr(manifest.settings, name)]
    if not differs and other.cases == manifest.cases:
        return []
    return [
        f"{what} run {other.id} asked other things ({_asked(other)}; this one {_asked(manifest)}): rates may differ for that alone"
    ]


def _asked(manifest: "Manifest") -> str:
    choice = manifest.settings.choice
    return f"{choice.suite or ', '.join((*choice.families, *choice.attacks)) or 'all'}, {manifest.cases} cases"
