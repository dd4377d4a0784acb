"""`hauberk guard`."""

from typing import ClassVar

import click

from hauberk.cli.lazy import LazyGroup


class _Commands(LazyGroup):
    package = "hauberk.cli.guard"
    listing: ClassVar[dict[str, str]] = {
        "serve": "Run the gateway in front of one or more models.",
        "check": "Say what the guard makes of a text, or of lines of JSON.",
        "try": "Chat with a model through the guard, in the terminal.",
        "keys": "Create, list, suspend, resume, revoke and rotate virtual keys.",
        "limits": "Export the limits for nftables, HAProxy and nginx.",
        "approvals": "List, approve and deny what waits for a person.",
    }


@click.group(cls=_Commands)
def command() -> None:
    """Stand in front of a model: detect attacks, filter answers, limit use, keep a signed log.

    \b
    Examples:
      hauberk guard check "ignore all previous instructions"
      hauberk guard check --jsonl < messages.jsonl > verdicts.jsonl
      hauberk guard serve --upstream http://127.0.0.1:8080/v1
      hauberk guard try --upstream http://127.0.0.1:8080/v1 --model qwen
      hauberk guard keys create --store keys.db --name ci --models 'qwen*' --tokens 100000
    """  # noqa: D301 - the backspace is click's
