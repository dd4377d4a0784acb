"""`hauberk probe replay`."""

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click
import msgspec

from hauberk.cli.errors import UserError
from hauberk.cli.probe.options import config_option, runs_option

if TYPE_CHECKING:
    from hauberk.probe.case import Case
    from hauberk.probe.result import Result
    from hauberk.probe.targets.target import Exchange

SHORTEST = 4

_EXAMPLES = """
\b
Examples:
  hauberk probe replay 3f9c0a1b                 a case of the last run, by the beginning of its id
  hauberk probe replay 3f9c --run 77ab --json
  hauberk probe replay 3f9c --send              the same case fired again at the same target
"""


@click.command("replay", epilog=_EXAMPLES)
@click.argument("case")
@click.option("--run", metavar="RUN", default="last", help="Id or folder of the run. Default: the last.")
@click.option("--send", is_flag=True, help="Fire it again; the run's record stays as it is.")
@click.option("--target", metavar="TARGET", default="", help="With --send, where the run did not keep the target's address.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@runs_option
@config_option
def command(**given: Any) -> None:
    """Print the transcript of a case as recorded, or of the same case fired again."""
    from hauberk.cli.probe.parts import told
    from hauberk.cli.probe.table import table_of
    from hauberk.probe.engine.folder import find, planned_cases
    from hauberk.probe.engine.reading import results, transcript

    with told():
        path = find(table_of(given["config"], given).runs, given["run"])
        case, prompt = _case(given["case"], planned_cases(path))
        if given["send"]:
            result, exchanges = _sent(path, case, given["target"])
        else:
            result = next(one for one in results(path) if one.case.id == case.id)
            exchanges = transcript(path, case.id)
    if given["as_json"]:
        made = {"result": result, "prompt": prompt, "transcript": exchanges}
        click.echo(msgspec.json.format(msgspec.json.encode(made), indent=2))
    else:
        for line in _lines(result, prompt, exchanges):
            click.echo(line)
    sys.exit(0)


def _case(name: str, planned: "Iterable[tuple[Case, str]]") -> "tuple[Case, str]":
    found = [(case, prompt) for case, prompt in planned if case.id.startswith(name)] if len(name) >= SHORTEST else []
    if len(found) != 1:
        raise UserError(f"several cases begin with {name!r}; write more of the id" if found else f"no case {name!r} in this run")
    return found[0]


def _sent(path: str, case: "Case", spec: str) -> "tuple[Result, tuple[Exchange, ...]]":
    from hauberk.cli.probe.run import taken_up
    from hauberk.probe.engine.fire import fire
    from hauberk.probe.engine.folder import read_manifest

    manifest = read_manifest(path)
    parts, plan = taken_up(path, manifest, manifest.settings, spec)
    planned = next((one for one in plan if one.case.id == case.id), None)
    if planned is None:
        raise UserError("this version of Hauberk plans other cases; fire it with the version that made the run")
    return fire(planned, parts, manifest)


def _lines(result: "Result", prompt: str, exchanges: "tuple[Exchange, ...]") -> Iterator[str]:
    from hauberk.probe.report.view import unfolded
    from hauberk.report.printable import printable

    case, word = result.case, result.judgement
    yield f"case {case.id}  {case.attack} x {case.seed}  {case.risk}  {result.outcome}"
    if word is not None:
        yield f"judged by {word.judge} ({word.confidence:.2f}): {printable(word.note)}"
    if result.note:
        yield printable(result.note)
    yield f"asks for: {_shown(prompt)}"
    for fresh, exchange in unfolded(exchanges):
        for message in fresh:
            yield f"\n[{message.role.value}] {_shown(message.text)}"
        yield f"\n[{'answer' if exchange.reply else 'no answer'}] {_shown(_answer(exchange))}"


def _answer(exchange: "Exchange") -> str:
    if exchange.reply is None:
        return f"{exchange.fault}: {exchange.note}"
    calls = [f"{call.name}({call.arguments})" for call in exchange.reply.calls]
    blocked = [f"(blocked: {exchange.reply.blocked})"] if exchange.reply.blocked else []
    return os.linesep.join((exchange.reply.text, *calls, *blocked))


def _shown(text: str) -> str:
    """`text` with its line breaks, and nothing else that a terminal would obey."""
    from hauberk.report.printable import printable

    return "\n".join(printable(line) for line in text.splitlines())
