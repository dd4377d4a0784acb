"""`hauberk guard try`."""

import sys
from typing import Any

import click

from hauberk.cli.errors import UserError
from hauberk.cli.guard.config import config_option
from hauberk.cli.output import language_of, language_option, wants_colour

_EXAMPLES = """
\b
Examples:
  hauberk guard try --upstream http://127.0.0.1:8080/v1 --model qwen
  hauberk guard try --gateway http://127.0.0.1:8040/v1 --model qwen

In the chat: /tool TEXT sends TEXT as a tool's result, /system TEXT sets the system prompt,
/new begins again, /quit ends (so does Ctrl-D).
"""


@click.command("try", epilog=_EXAMPLES)
@config_option
@click.option("--upstream", metavar="URL", help="A model's server; a gateway is started in front of it for this chat.")
@click.option("--gateway", metavar="URL", help="A gateway that runs already.")
@click.option("--key-env", default="", metavar="NAME", help="Environment variable that holds the key to send.")
@click.option("--model", default="default", help="The model to talk to.")
@click.option("--max-tokens", type=click.IntRange(1), default=512, help="Longest answer. Default: 512.")
@language_option
def command(**given: Any) -> None:
    """Chat with a model through the guard, and see what the guard makes of each message."""
    if bool(given["upstream"]) == bool(given["gateway"]):
        raise UserError("name the model's server with --upstream, or a running gateway with --gateway")
    from hauberk.guard.trial.client import ChatClient, GatewayError
    from hauberk.guard.trial.process import GatewayProcess, StartError

    try:
        if given["gateway"]:
            _chat(ChatClient(given["gateway"], given["model"], given["key_env"], given["max_tokens"]), given)
            return
        with GatewayProcess(given["upstream"], given["key_env"], given["config"]) as gateway:
            _chat(ChatClient(f"{gateway.address}/v1", given["model"], "", given["max_tokens"]), given)
    except (GatewayError, StartError) as error:
        raise UserError(str(error)) from error


def _chat(client: Any, given: dict[str, Any]) -> None:
    from hauberk.cli.guard.check import checker_at

    language, colour = language_of(given["lang"]), wants_colour()
    checker = checker_at(given["config"])
    while True:
        try:
            line = input("> " if sys.stdin.isatty() else "").encode("utf-8", "replace").decode()  # input may be no UTF-8
        except EOFError:
            return
        if line.strip() == "/quit":
            return
        if line.strip():
            _turn(client, checker, line, language, colour=colour)


def _turn(client: Any, checker: Any, line: str, language: str, *, colour: bool) -> None:
    from hauberk.cli.guard.words import told
    from hauberk.guard.api import check

    role = client.say(line)
    if role is None:
        return
    result = check(client.messages[-1], checker=checker).messages[0]
    if result.action != "allow":
        click.echo(told(result, language, colour=colour), err=True)
    for piece in client.answer():
        click.echo(piece, nl=False)
    click.echo()
    if client.notice:
        click.echo(client.notice, err=True)
