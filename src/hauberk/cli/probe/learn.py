"""`hauberk probe learn`."""

import getpass
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from hauberk.cli.errors import UserError
from hauberk.cli.probe.options import config_option, runs_option

if TYPE_CHECKING:
    from hauberk.probe.learn.check import Checked, Holds
    from hauberk.probe.learn.decisions import Approved, Decision
    from hauberk.probe.learn.proposal import Proposal
    from hauberk.probe.learn.sample import Ordinary, Sample
    from hauberk.probe.learn.train import Learning

_EXAMPLES = """
\b
Examples:
  hauberk probe learn                                what the last run would teach; learns nothing
  hauberk probe learn 3f9c --approve                 decide item by item, then learn
  hauberk probe learn 3f9c --approve-by policy.toml  a written policy decides
  hauberk probe learn 3f9c 77ab --approve --ordinary traffic.jsonl --onto .hauberk/learn/1a2b/learnt
  hauberk probe learn --check .hauberk/learn/1a2b/learnt

Then, in hauberk.toml: [guard] learnt = "FOLDER"

Exit codes: 0 learnt (or nothing got through), 1 refused, or a sample is not held by what was learnt, 2 usage or tool error,
3 everything is pending.
"""


@click.command("learn", epilog=_EXAMPLES)
@click.argument("names", nargs=-1, metavar="[RUN|PROPOSAL]...")
@click.option("--approve", is_flag=True, help="Ask a person about each item, on this terminal.")
@click.option("--approve-by", type=click.Path(dir_okay=False), metavar="FILE", help="Approve what a written policy allows (TOML).")
@click.option("--as", "who", metavar="NAME", help="Who approves, for the record. Default: the user's name.")
@click.option("--ordinary", multiple=True, type=click.Path(dir_okay=False), help='Your ordinary traffic: lines {"text", "role"?}.')
@click.option("--rate", type=click.FloatRange(0, 0.5, min_open=True), help="False alarms among ordinary messages. Default: 0.002.")
@click.option("--min-confidence", type=click.FloatRange(0, 1), help="Of the judge, for a case to be proposed. Default: 0.8.")
@click.option(
    "--onto", type=click.Path(file_okay=False), help="Learn the approved samples of this learnt folder again with the new ones."
)
@click.option("-o", "--output", type=click.Path(file_okay=False), help="Folder of the proposal. Default: under .hauberk/learn.")
@click.option(
    "--check", "check_", type=click.Path(file_okay=False), metavar="FOLDER", help="Check a learnt folder; learns nothing."
)
@runs_option
@config_option
def command(**given: Any) -> None:
    """Turn what got through in finished runs into samples and rules for the guard, once somebody has approved them.

    Without --approve or --approve-by this only writes a proposal to read; nothing is ever learnt that nobody approved.
    """
    from hauberk.cli.probe.parts import told

    if given["approve"] and given["approve_by"]:
        raise UserError("--approve asks a person, --approve-by a policy; choose one")
    with told():
        code = _checked_folder(given) if given["check_"] else _learn(given)
    sys.exit(code)


def proposed(
    runs: tuple[str, ...], base: str, ordinary: "tuple[Ordinary, ...]", folder: str = "", confidence: float | None = None
) -> "Proposal":
    """The proposal of finished runs, written out, or the one that is named. Raises LearnError, EngineError."""
    from hauberk.probe.engine.folder import find
    from hauberk.probe.learn.gather import CONFIDENCE, gather
    from hauberk.probe.learn.proposal import is_proposal, propose, read

    if len(runs) == 1 and is_proposal(runs[0]):
        return read(runs[0])
    paths = [find(base, name) for name in runs or ("last",)]
    return propose(gather(paths, CONFIDENCE if confidence is None else confidence), ordinary, folder)


def summary(proposal: "Proposal") -> None:
    """Says on stderr what a proposal holds."""
    about = proposal.about
    attacks = ", ".join(f"{name} {count}" for name, count in sorted(about.attacks.items(), key=lambda item: -item[1])[:8])
    click.echo(
        f"{about.samples} samples, {about.rules} proposed rules in {proposal.folder}" + (f": {attacks}" if attacks else ""),
        err=True,
    )
    for why, count in about.left_out.items():
        click.echo(f"  left out: {count}: {why}", err=True)


def _learn(given: dict[str, Any]) -> int:
    from hauberk.cli.probe.table import table_of
    from hauberk.probe.learn.decisions import approved, read_decisions

    usual = _ordinary(given)
    base = table_of(given["config"], {"runs": given["runs"]}).runs
    proposal = proposed(given["names"], base, usual, given["output"] or "", given["min_confidence"])
    summary(proposal)
    if not proposal.items:
        click.echo("nothing to learn: nothing got through that shows an attack", err=True)
        return 0
    decisions = _decided(given, proposal, usual, read_decisions(proposal.folder))
    found = approved(proposal, decisions)
    if not found.samples and not found.rules:
        click.echo(f"all of it is pending ({found.pending}; {found.declined} declined): read {proposal.folder}, then", err=True)
        click.echo(f"  hauberk probe learn {proposal.folder} --approve", err=True)
        return 3
    return _taught(given, proposal, found, usual)


def _ordinary(given: dict[str, Any]) -> "tuple[Ordinary, ...]":
    from hauberk.probe.learn.ordinary import own, shipped

    return (*shipped(), *(one for path in given["ordinary"] for one in own(path)))


def _decided(
    given: dict[str, Any], proposal: "Proposal", usual: "tuple[Ordinary, ...]", known: "dict[str, Decision]"
) -> "dict[str, Decision]":
    """The decisions there are, with those that a person or a policy makes now. Raises UserError without a terminal."""
    from hauberk.probe.learn.approval_policy import applied, read_policy
    from hauberk.probe.learn.decisions import record
    from hauberk.probe.learn.person import asked

    if given["approve_by"]:
        policy, digest = read_policy(given["approve_by"])
        return record(proposal.folder, applied(proposal, known, policy, digest, usual))
    if not given["approve"]:
        return known
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UserError("--approve asks a person, and here is no terminal to ask on; --approve-by FILE takes a written policy")

    def ask(question: str) -> str:
        return click.prompt(question, prompt_suffix="", err=True)

    def show(line: str) -> None:
        click.echo(line, err=True)

    for decision in asked(proposal, known, given["who"] or getpass.getuser(), ask, show):
        known = record(proposal.folder, [decision])  # at once: nothing that was decided is lost
    return known


def _taught(given: dict[str, Any], proposal: "Proposal", found: "Approved", usual: "tuple[Ordinary, ...]") -> int:
    from hauberk.probe.learn.errors import Refused
    from hauberk.probe.learn.keep import keep
    from hauberk.probe.learn.train import learn

    samples, rules = list(found.samples), list(found.rules)
    if given["onto"]:
        before, model = _kept(given["onto"])
        known = {one.id for one in samples}
        samples += [one for one in before if one.id not in known]
        names = {rule.id for rule in rules}
        rules += [rule for rule in model.rules if rule.id not in names]
    try:
        learning = learn(samples, rules, (*usual, *proposal.twins), given["rate"])
    except Refused as error:
        click.echo(f"hauberk: {error}; nothing was written", err=True)
        return 1
    folder = os.path.join(proposal.folder, "learnt")
    keep(folder, learning, tuple(samples))
    _figures(learning)
    code = _verdict(_verified(given, folder, tuple(samples), (*usual, *proposal.twins)), learning.model.rate)
    click.echo(folder)
    click.echo(f"{found.pending} items are pending, {found.declined} declined", err=True)
    click.echo(f'for the guard: [guard] learnt = "{os.path.abspath(folder)}"', err=True)
    return code


def _kept(folder: str) -> "tuple[tuple[Sample, ...], Any]":
    """Samples and model of a learnt folder. Raises LearnError, LearntFileError."""
    from hauberk.detect.learnt import read_folder
    from hauberk.probe.learn.keep import REGRESSION
    from hauberk.probe.learn.proposal import read_samples

    return read_samples(os.path.join(folder, REGRESSION)), read_folder(folder)


def _checked_folder(given: dict[str, Any]) -> int:
    from hauberk.probe.learn.errors import LearnError

    samples, model = _kept(given["check_"])
    if not samples:
        raise LearnError(f"{given['check_']}: no regression samples are kept there")
    return _verdict(_verified(given, given["check_"], samples, _ordinary(given)), model.rate)


def _verified(given: dict[str, Any], folder: str, samples: "tuple[Sample, ...]", usual: "tuple[Ordinary, ...]") -> "Checked":
    """Asks the guard of this configuration as it is, and with what was learnt."""
    from hauberk.cli.guard.check import checker_at
    from hauberk.core import Action
    from hauberk.detect.learnt import read_folder
    from hauberk.probe.learn.check import check

    def holds(learnt: str | None) -> "Holds":
        checker = checker_at(given["config"], learnt)
        return lambda text, role: checker.check_text(text, role).action >= Action.ASK

    return check(read_folder(folder), samples, usual, holds(None), holds(folder))


def _figures(learning: "Learning") -> None:
    from hauberk.probe.grades.interval import exact

    for voice, figures in learning.figures.items():
        worst = exact(figures.alarms, figures.ordinary).high
        click.echo(
            f"{voice}: {figures.caught} of {figures.samples} samples caught "
            f"({figures.unseen} of {figures.repeated} with their seed held out); "
            f"{figures.alarms} false alarms on {figures.ordinary} held-out ordinary texts (at most {worst:.2%}, 95 %)",
            err=True,
        )


def _verdict(found: "Checked", rate: float) -> int:
    click.echo(
        f"regression: {found.after} of {found.samples} samples are held ({found.before} by the guard as it was); "
        f"{found.alarms} of {found.ordinary} ordinary texts are held that passed before",
        err=True,
    )
    for name in found.missed[:10]:
        click.echo(f"  not held: {name}", err=True)
    return 1 if found.missed or found.alarms > rate * found.ordinary else 0
