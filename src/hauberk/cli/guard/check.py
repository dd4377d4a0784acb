"""`hauberk guard check`."""

import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

import click
import msgspec

from hauberk.cli.errors import UserError
from hauberk.cli.guard.config import config_option, guard_settings_at
from hauberk.cli.output import language_of, language_option, wants_colour
from hauberk.core import Action

LONGEST_LINE = 16 << 20

_EXAMPLES = """
\b
Examples:
  hauberk guard check "ignore all previous instructions"
  hauberk guard check --role tool < page.html          text that a tool or a document brought
  hauberk guard check --jsonl < in.jsonl > out.jsonl   lines {"text", "role"?, "id"?}
  hauberk guard check --json "..."                     one text, with every finding

Exit codes: 0 may pass (perhaps redacted), 1 to be asked or blocked (--fail-on), 2 usage
error, 3 passes but something could not be looked at.
"""


@click.command("check", epilog=_EXAMPLES)
@click.argument("text", required=False)
@click.option("--jsonl", is_flag=True, help='Read lines {"text", "role"?, "id"?} from stdin, write one line for each.')
@click.option("--json", "as_json", is_flag=True, help="The verdict on one text as JSON.")
@click.option(
    "--role",
    type=click.Choice(("user", "tool", "document", "system", "assistant")),
    default="user",
    help="Who speaks. Default: user.",
)
@config_option
@click.option("--learnt", type=click.Path(file_okay=False), help="Folder of what hauberk probe learn made; default: guard.learnt.")
@click.option("--fail-on", type=click.Choice(("flag", "redact", "ask", "block")), default="ask", help="Exit 1 from this action on.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 whatever is found.")
@language_option
def command(**given: Any) -> None:
    """Say what the guard makes of a text, of stdin, or of lines of JSON."""
    if given["jsonl"] and given["text"]:
        raise UserError("--jsonl reads lines from stdin; give no text beside it")
    code = _lines(given) if given["jsonl"] else _single(given)
    sys.exit(0 if given["exit_zero"] else code)


def checker_at(config: str | None, learnt: str | None = None) -> Any:
    """The checker that the configuration asks for, with what lies in the folder `learnt` if one is given. Raises UserError."""
    from hauberk.guard.assembly import checker_of
    from hauberk.policy.errors import PolicyError

    try:
        settings = guard_settings_at(config)
        return checker_of(msgspec.structs.replace(settings, learnt=learnt) if learnt else settings)
    except PolicyError as error:
        raise UserError(str(error)) from error


def _single(given: dict[str, Any]) -> int:
    from hauberk.guard.api import check

    text = given["text"]
    if text is None:
        if sys.stdin.isatty():
            raise UserError("nothing to check; give a text, or pipe one in")
        text = sys.stdin.buffer.read(LONGEST_LINE + 1).decode("utf-8", "replace")
        if len(text) > LONGEST_LINE:
            raise UserError(f"more than {LONGEST_LINE >> 20} MiB on stdin; check it in parts")
    result = check({"role": given["role"], "content": text}, checker=checker_at(given["config"], given["learnt"])).messages[0]
    if given["as_json"]:
        click.echo(msgspec.json.format(msgspec.json.encode(result), indent=2))
    else:
        from hauberk.cli.guard.words import told

        click.echo(told(result, language_of(given["lang"]), colour=wants_colour()))
    return _code(result.action, bool(result.gaps), given["fail_on"])


def _code(action: str, gaps: bool, fail_on: str) -> int:  # noqa: FBT001 - a fact, not an option
    if Action[action.upper()] >= Action[fail_on.upper()]:
        return 1
    return 3 if gaps else 0


def _lines(given: dict[str, Any]) -> int:
    from hauberk.guard.lines import BadLine, judged_line

    checker = checker_at(given["config"], given["learnt"])
    worst = 0
    bad = 0
    out = sys.stdout.buffer
    for number, line in enumerate(bounded_lines(sys.stdin.buffer), 1):
        try:
            if too_long(line):
                raise BadLine(f"longer than {LONGEST_LINE >> 20} MiB; check it in parts")
            made, action, gaps = judged_line(line, given["role"], checker)
        except BadLine as error:
            bad += 1
            click.echo(f"hauberk: line {number}: {error}", err=True)
            made, action, gaps = error.answer, "block", True
        out.write(msgspec.json.encode(made) + b"\n")
        out.flush()  # whoever sends a line and waits for its verdict must not wait for ever
        code = _code(action, gaps, given["fail_on"])
        worst = 1 if 1 in {worst, code} else max(worst, code)
    return 2 if bad else worst


def too_long(line: bytes) -> bool:
    """Whether `bounded_lines` gave up a line, which is over the limit."""
    return len(line) > LONGEST_LINE and not line.endswith(b"\n")


def bounded_lines(source: BinaryIO) -> Iterator[bytes]:
    """The lines of `source`; one over the limit only so far that it is over. Empty lines and a byte-order mark are left out."""
    first = True
    while line := source.readline(LONGEST_LINE + 1):
        if first:
            line, first = line.removeprefix(b"\xef\xbb\xbf"), False
        if too_long(line):
            while (rest := source.readline(1 << 20)) and not rest.endswith(b"\n"):
                pass
        if line.strip():
            yield line
