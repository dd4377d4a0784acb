"""`hauberk probe run`, which `hauberk probe TARGET` is short for."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
import msgspec

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
    from hauberk.probe.engine.folder import Manifest, RunFolder
    from hauberk.probe.engine.plan import Plan
    from hauberk.probe.engine.runner import Parts, Runner
    from hauberk.probe.engine.settings import RunSettings
    from hauberk.probe.engine.sitting import Ending

_EXAMPLES = """
\b
Examples:
  hauberk probe http://127.0.0.1:8000/v1 --model qwen
  hauberk probe https://api.example.com/v1 --api-key-env API_KEY --suite standard \\
      --price-in 0.5 --price-out 1.5 --max-cost 2        a hard bound on money
  hauberk probe app.toml --family indirect-injection      an application, described in TOML
  hauberk probe TARGET --attack base64+refusal-suppression --limit 50
  hauberk probe TARGET --suite tc260 --profile tc260-003 -o report.html
  hauberk probe --resume                                  the last run that was cut
  hauberk probe --resume 3f9c --resend                    and ask again what got no answer

Exit codes: 0 passed, 1 a threshold was crossed (--fail-on), 2 usage or tool error, 3 inconclusive: over 5 % of the cases, or
a whole family, gave no answer.
"""


@click.command("run", epilog=_EXAMPLES)
@click.argument("target", required=False)
@target_options
@choice_options
@pacing_options
@grading_options
@click.option(
    "--resume", is_flag=False, flag_value="last", metavar="[RUN]", help="Go on with a run that was cut. Default: the last."
)
@click.option("--resend", is_flag=True, help="With --resume: ask again what was sent without an answer, or ended in an error.")
@click.option("--learn", is_flag=True, help="Afterwards propose what the guard could learn (see: hauberk probe learn).")
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
    """Attack TARGET, judge its answers, grade it.

    Everything sent and received is kept in a folder of its own (--runs). A kill loses nothing: --resume sends nothing twice and
    counts everything once.
    """
    from hauberk.cli.probe.parts import told

    with told():
        code = _run(given)
    sys.exit(0 if given["exit_zero"] else code)


def _run(given: dict[str, Any]) -> int:
    from hauberk.cli.probe.page import note, profiles_of
    from hauberk.cli.probe.table import table_of
    from hauberk.probe.engine.conclude import conclude
    from hauberk.probe.engine.threshold import DEFAULT, threshold

    table = table_of(given["config"], given)
    thresholds = tuple(threshold(text) for text in table.fail_on or DEFAULT)
    standards = profiles_of(table.profiles)
    if given["resend"] and given["resume"] is None:
        raise UserError("--resend goes with --resume")
    play = _resumed if given["resume"] is not None else begun
    folder, ending = play(given, table)
    try:
        for line in ending.notices:
            note(line)
        if ending.at_once:
            note(f"ended at once; hauberk probe --resume {folder.manifest.id} goes on")
            return 130
        conclusion = conclude(folder.path, folder.manifest, thresholds, standards, ending=ending)
        _reported(given, table, folder, conclusion, ending)
        if given["learn"]:
            _proposed(folder)
    finally:
        folder.close()
    return conclusion.exit_code


def begun(given: dict[str, Any], table: "ProbeTable") -> "tuple[RunFolder, Ending]":
    """A new run, played to its end or until it is cut. The caller closes the folder. Raises UserError."""
    from hauberk import __version__
    from hauberk.cli.probe.parts import asked_attacker, asked_judge, asked_target, attacks_of, opened, plan_of, spooled, storable
    from hauberk.cli.probe.table import settings_of
    from hauberk.probe.engine.clock import utc
    from hauberk.probe.engine.folder import Manifest, create, new_id
    from hauberk.probe.engine.runner import Parts
    from hauberk.probe.judges import default_judges

    settings = settings_of(table)
    asked, helper, other = asked_target(table), asked_attacker(table), asked_judge(table)
    target, attacker = opened(asked, settings), opened(helper, settings) if helper.spec else None
    second = opened(other, settings) if other.spec else None
    spool = spooled(table, settings.choice)
    plan = plan_of(spool, attacks_of(table.attack_files, settings.choice), settings, target, attacker)
    misfits = plan.misfits()
    _confirmed(given, plan, settings, target.name, judged=second is not None)
    judges = default_judges()
    manifest = Manifest(
        id=new_id(),
        started=utc(),
        tool=__version__,
        target=target.name,
        settings=settings,
        asked=storable(asked),
        attacker=attacker.name if attacker else "",
        asked_attacker=storable(helper),
        judge=second.name if second else "",
        asked_judge=storable(other),
        attack_files=os.path.abspath(table.attack_files) if table.attack_files else "",
        misfits=misfits,
        accuracy=judges.accuracy(),
    )
    folder = create(table.runs, manifest, plan, spool)
    return folder, _played(given, folder, plan, Parts(target, judges, attacker, second), settings)


def _resumed(given: dict[str, Any], table: "ProbeTable") -> "tuple[RunFolder, Ending]":
    from hauberk.cli.probe.table import paced
    from hauberk.probe.engine.folder import RunFolder, find, read_manifest

    path = find(table.runs, given["resume"], unfinished=given["resume"] == "last")
    manifest = read_manifest(path)
    settings = paced(manifest.settings, given, table)
    named = (given["target"] or "", table.attacker if given["attacker"] else "", table.judge if given["judge"] else "")
    parts, plan = taken_up(path, manifest, settings, *named)
    folder = RunFolder(path, manifest)
    return folder, _played(given, folder, plan, parts, settings)


def taken_up(
    path: str, manifest: "Manifest", settings: "RunSettings", spec: str = "", attacker_spec: str = "", judge_spec: str = ""
) -> "tuple[Parts, Plan]":
    """Targets and plan of a recorded run. Raises UserError when they are not those of the record."""
    from hauberk.cli.probe.parts import attacks_of, opened, plan_of
    from hauberk.probe.engine.folder import SEEDS
    from hauberk.probe.engine.runner import Parts
    from hauberk.probe.engine.spool import Spool
    from hauberk.probe.judges import default_judges

    asked = msgspec.structs.replace(manifest.asked, spec=spec) if spec else manifest.asked
    helper = msgspec.structs.replace(manifest.asked_attacker, spec=attacker_spec) if attacker_spec else manifest.asked_attacker
    other = msgspec.structs.replace(manifest.asked_judge, spec=judge_spec) if judge_spec else manifest.asked_judge
    if not asked.spec or (manifest.attacker and not helper.spec) or (manifest.judge and not other.spec):
        raise UserError("an address of this run may hold a key and was not kept; name it again (TARGET, --attacker, --judge)")
    target, attacker = opened(asked, settings), opened(helper, settings) if helper.spec else None
    second = opened(other, settings) if other.spec else None
    if target.name != manifest.target:
        raise UserError(f"run {manifest.id} is of {manifest.target}, not of {target.name}")
    plan = plan_of(
        Spool.at(os.path.join(path, SEEDS)), attacks_of(manifest.attack_files, settings.choice), settings, target, attacker
    )
    return Parts(target, default_judges(), attacker, second), plan


def _played(given: dict[str, Any], folder: "RunFolder", plan: "Plan", parts: "Parts", settings: "RunSettings") -> "Ending":
    from hauberk.probe.engine.meter import Meter
    from hauberk.probe.engine.sitting import sit

    def shown(runner: "Runner") -> Meter:
        return Meter(runner, quiet=given["quiet"])

    show: Callable[[Runner], Meter] = shown
    try:
        return sit(folder, plan, parts, settings, resend=given["resend"], show=show)
    except BaseException:
        folder.close()
        raise


def _confirmed(given: dict[str, Any], plan: "Plan", settings: "RunSettings", target: str, *, judged: bool) -> None:
    """Shows the plan, and asks where a person can answer. Raises UserError when there is nothing to do, Abort at a no."""
    from hauberk.cli.probe.words import nothing_to_ask, plan_lines
    from hauberk.probe.engine.estimate import estimate

    found = estimate(plan, settings, judged=judged, rounds=plan.abilities.rounds)
    misfits = plan.misfits()
    if not found.cases:
        raise UserError(nothing_to_ask(misfits))
    if given["quiet"]:
        return
    for line in plan_lines(target, found, settings, misfits, language_of(given["lang"])):
        click.echo(line, err=True)
    if not given["yes"] and sys.stdin.isatty() and sys.stderr.isatty():
        click.confirm("Go on?", default=True, abort=True, err=True)


def _reported(given: dict[str, Any], table: "ProbeTable", folder: "RunFolder", conclusion: "Conclusion", ending: "Ending") -> None:
    from hauberk.cli.probe.page import format_of, note, page

    manifest, language = folder.manifest, language_of(given["lang"])
    notices = ending.notices
    if ending.why:
        notices = (*notices, f"ended early: {ending.why}")
        note(f"ended early: {ending.why}; hauberk probe --resume {manifest.id} goes on")
    form = format_of(given["format_"], given["output"])
    emit(
        page(folder.path, manifest, conclusion, form, language, notices=notices, colour=False if given["output"] else None),
        given["output"],
    )
    if given["output"] and not given["quiet"]:
        click.echo(page(folder.path, manifest, conclusion, "plain", language, notices=notices, colour=False), err=True, nl=False)
    if not given["no_store"]:
        _stored(folder, conclusion, notices, table.store)
    if not given["quiet"]:
        note(f"run {manifest.id} is in {folder.path}")


def _proposed(folder: "RunFolder") -> None:
    from hauberk.cli.probe.learn import proposed, summary
    from hauberk.probe.learn.ordinary import shipped

    proposal = proposed((folder.path,), "", shipped())
    summary(proposal)
    if proposal.items:
        click.echo(f"nothing of it is learnt before somebody approves: hauberk probe learn {proposal.folder} --approve", err=True)


def _stored(folder: "RunFolder", conclusion: "Conclusion", notices: tuple[str, ...], url: str) -> None:
    from hauberk.probe.engine.conclude import run_of
    from hauberk.rules import load_pack
    from hauberk.store import Store

    run = run_of(folder.path, folder.manifest, conclusion, load_pack().digest, notices)
    with Store.open(url) as store:
        store.begin_run(run)
        store.finish_run(run)
