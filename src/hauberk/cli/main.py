"""`hauberk`: finds the command and runs it. Imports click and nothing heavy."""

import sys
from importlib import import_module

import click

from hauberk import __version__

COMMANDS = {
    "scan": "Look into models, archives, repositories and environments before they are loaded.",
    "report": "Show a recorded run again, in any format, or the difference of two.",
    "rules": "List and explain the rules.",
    "sign": "Sign a model directory (OpenSSF model signing).",
    "verify": "Verify a signed model directory, and name what changed.",
}


class _Lazy(click.Group):
    """A group whose commands live in `hauberk.cli.<name>` and are imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"hauberk.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="hauberk")
def cli() -> None:
    r"""Hauberk 链甲 guards large models along their whole life.

    \b
    Examples:
      hauberk scan ./model                     a model directory, to the terminal
      hauberk scan ./model -o report.html      the same, for a manager
      curl -sL URL | hauberk scan -            what comes down a pipe
      hauberk report --last --format sarif     the last run, for the code host

    Exit codes: 0 clean and complete, 1 findings at or over the threshold,
    2 usage or tool error, 3 incomplete (something was not looked at).
    """


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
