"""How a command says that the user can mend something."""

import click


class UserError(click.ClickException):
    """What, where, what to do: one line on stderr, exit code 2."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        del file
        click.echo(f"hauberk: {self.format_message()}", err=True)
