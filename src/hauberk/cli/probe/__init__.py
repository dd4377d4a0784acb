"""`hauberk probe`."""

from typing import ClassVar

import click

from hauberk.cli.lazy import LazyGroup


class _Commands(LazyGroup):
    package = "hauberk.cli.probe"
    listing: ClassVar[dict[str, str]] = {
        "run": "Attack a target, judge its answers, grade it (the default: leave 'run' away).",
        "guarded": "Attack a model without and then with the guard in front; show the difference.",
        "plan": "Say what a run would send and cost; sends nothing.",
        "report": "Show a run again in any format, or compared with another.",
        "replay": "Print the transcript of a case, or fire it again.",
        "learn": "Teach the guard what got through, once somebody has approved it.",
        "judge": "Judge prompts and answers of any other tool, as lines of JSON.",
        "attacks": "List the attacks.",
        "seeds": "List the banks of seeds.",
    }

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What is no command is the target of `run`."""
        if args and args[0] not in self.listing and args[0] not in ctx.help_option_names:
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Commands)
def command() -> None:
    """Attack a live model or application, judge what it answers, and grade it.

    \b
    Examples:
      hauberk probe http://127.0.0.1:8000/v1 --model qwen          a first look at every risk
      hauberk probe plan http://127.0.0.1:8000/v1 --suite standard what that would send and cost
      hauberk probe guarded http://127.0.0.1:8000/v1 --model qwen  without and with the guard in front
      hauberk probe TARGET --suite tc260 --profile tc260-003 -o report.html
      hauberk probe TARGET --family jailbreak --fail-on 'asr>5%'   a gate for CI
      hauberk probe --resume                                       go on after a kill or Ctrl-C
      hauberk probe replay 3f9c                                    one case's transcript

    TARGET is the base URL of an OpenAI-compatible API, anthropic:URL, a .toml file that describes any
    HTTP API, python:module:function, command:..., gguf:path or mcp:...

    Exit codes: 0 passed, 1 a threshold was crossed (--fail-on), 2 usage or tool error,
    3 inconclusive: too many cases gave no answer.
    """  # noqa: D301 - the backspace is click's
