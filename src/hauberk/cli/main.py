"""`hauberk`: finds the command and runs it. Imports click and nothing heavy."""

import sys
from typing import ClassVar

import click

from hauberk import __version__
from hauberk.cli.lazy import LazyGroup


class _Commands(LazyGroup):
    package = "hauberk.cli"
    listing: ClassVar[dict[str, str]] = {
        "scan": "Look into models, archives, repositories and environments before they are loaded.",
        "guard": "Stand in front of a model: gateway, checks, keys, limits, approvals.",
        "probe": "Attack a live model or application, judge its answers, grade it.",
        "audit": "Verify and export the audit log.",
        "report": "Show a recorded run again, in any format, or the difference of two.",
        "rules": "List and explain the rules.",
        "sign": "Sign a model directory (OpenSSF model signing).",
        "verify": "Verify a signed model directory, and name what changed.",
    }


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="hauberk")
def cli() -> None:
    """Hauberk 链甲 guards large models along their whole life.

    \b
    Examples:
      hauberk scan ./model                     a model directory, to the terminal
      hauberk scan ./model -o report.html      the same, for a manager
      curl -sL URL | hauberk scan -            what comes down a pipe
      hauberk report --last --format sarif     the last run, for the code host
      hauberk guard serve                      a gateway in front of your model
      hauberk guard check "text"               what the guard says of one message
      hauberk probe http://host/v1             red team of a live model, with a grade

    Exit codes: 0 clean and complete, 1 findings at or over the threshold,
    2 usage or tool error, 3 incomplete (something was not looked at).
    """  # noqa: D301 - the backspace is click's


def main() -> None:
    """Entry point of the `hauberk` program."""
    try:
        code = cli.main(prog_name="hauberk", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("hauberk: interrupted\n")
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; Python would complain on exit
        sys.exit(141)
    sys.exit(code if isinstance(code, int) else 0)
