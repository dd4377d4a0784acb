"""`hauberk probe judge`."""

import sys
from typing import Any

import click
import msgspec

from hauberk.cli.errors import UserError
from hauberk.cli.guard.check import LONGEST_LINE, bounded_lines, too_long

_EXAMPLES = """
\b
Examples:
  hauberk probe judge --jsonl < answers.jsonl > judged.jsonl
  echo '{"id": 1, "prompt": "...", "response": "..."}' | hauberk probe judge --jsonl

In: lines {"id", "prompt", "response"} and, where it is known, "goal" ({"type": "harm"} is meant when
there is none), "risk", "lang", "system". Out: lines {"id", "outcome", "confidence", "judge"}.

Exit codes: 0 every line was judged, 2 usage error, 3 some lines were not (they say why).
"""


@click.command("judge", epilog=_EXAMPLES)
@click.option("--jsonl", is_flag=True, help="Read lines of JSON from stdin, write one for each.")
@click.option("--notes", is_flag=True, help="Also say what each judgement went by.")
def command(*, jsonl: bool, notes: bool) -> None:
    """Judge prompts and answers that any other tool has made."""
    from hauberk.probe.judges import default_judges

    if not jsonl:
        raise UserError("write --jsonl, and pipe lines in")
    judges = default_judges()
    out = sys.stdout.buffer
    bad = 0
    for number, line in enumerate(bounded_lines(sys.stdin.buffer), 1):
        made = _judged(line, number, judges, notes=notes)
        bad += "error" in made
        out.write(msgspec.json.encode(made) + b"\n")
        out.flush()
    if bad:
        click.echo(f"hauberk: {bad} lines were not judged", err=True)
    sys.exit(3 if bad else 0)


def _judged(line: bytes, number: int, judges: Any, *, notes: bool) -> dict[str, Any]:
    from hauberk.probe.judges.lines import LineError, line_of

    if too_long(line):
        return {"id": None, "error": f"line {number}: longer than {LONGEST_LINE >> 20} MiB"}
    try:
        case, prompt, transcript, identity = line_of(line)
    except LineError as error:
        return {"id": error.identity, "error": f"line {number}: {error}"}
    word = judges.judge(case, prompt, transcript, 0)
    made = {"id": identity, "outcome": word.outcome, "confidence": word.confidence, "judge": word.judge}
    return {**made, "note": word.note, "quote": word.quote} if notes else made
