"""A group whose commands are modules, imported when called: `--help` stays fast."""

from importlib import import_module
from typing import ClassVar

import click


class LazyGroup(click.Group):
    """`package`: where the modules are; `listing`: command -> its line in the help. A command `try` lives in `try_`."""

    package: ClassVar[str]
    listing: ClassVar[dict[str, str]]

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.listing)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in self.listing:
            return None
        name = "try_" if cmd_name == "try" else cmd_name
        command: click.Command = import_module(f"{self.package}.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(self.listing.items()))
