"""From what the user writes to a target. What a kind of target needs is imported when it is asked for."""

import msgspec

from hauberk.probe.targets.lines import one_line
from hauberk.probe.targets.options import TargetOptions
from hauberk.probe.targets.target import Fault, Target, TargetError

MODELS = ("http", "https", "openai", "openai-completions", "openai-responses", "anthropic")
COMMANDS = {"command": "text", "command-json": "json", "command-lines": "lines"}
OTHERS = ("python", "gguf", "mcp")
_EXTRA = "targets over HTTP need the extra `probe`; install it with: pip install 'hauberk[probe]'"


def open_target(spec: str, options: TargetOptions | None = None) -> Target:
    """The target that `spec` names: an address, `KIND:...`, or a TOML file that describes an HTTP API. Nothing is sent yet.

    Raises:
        TargetError: SETUP, when it cannot work at all.
    """
    options = options or TargetOptions()
    try:
        target = _opened(spec, options)
        return _with_tools(target, options) if options.tools_from else target
    except ModuleNotFoundError as error:
        if error.name != "aiohttp":
            raise
        raise TargetError(Fault.SETUP, _EXTRA) from None


def _opened(spec: str, options: TargetOptions) -> Target:
    kind, _, rest = spec.partition(":")
    if spec.endswith(".toml") and kind not in {*MODELS, *COMMANDS, *OTHERS}:
        from hauberk.probe.targets.http_api import HttpApiTarget

        return HttpApiTarget(spec, options)
    if kind in MODELS and rest:
        return _model(kind, spec if kind in {"http", "https"} else rest, options)
    if kind in COMMANDS:
        from hauberk.probe.targets.command import CommandTarget

        return CommandTarget(rest, options, COMMANDS[kind])
    if kind in OTHERS:
        return _other(kind, rest, options)
    known = ", ".join(f"{each}:" for each in (*MODELS, *COMMANDS, *OTHERS))
    raise TargetError(Fault.SETUP, f"target {one_line(spec, 80)!r} is of no known kind; give a .toml file or one of {known}")


def _model(kind: str, url: str, options: TargetOptions) -> Target:
    from hauberk.probe.targets.anthropic import AnthropicMessages
    from hauberk.probe.targets.model_api import ModelApi
    from hauberk.probe.targets.openai_chat import OpenAIChat
    from hauberk.probe.targets.openai_completions import OpenAICompletions
    from hauberk.probe.targets.openai_responses import OpenAIResponses

    dialects = {"anthropic": AnthropicMessages, "openai-completions": OpenAICompletions, "openai-responses": OpenAIResponses}
    return ModelApi(url, options, dialects.get(kind, OpenAIChat)())


def _other(kind: str, place: str, options: TargetOptions) -> Target:
    if kind == "python":
        from hauberk.probe.targets.python_call import PythonCall

        return PythonCall(place, options)
    if kind == "gguf":
        from hauberk.probe.targets.gguf import GgufTarget

        return GgufTarget(place, options)
    from hauberk.probe.targets.mcp_server import McpServer

    return McpServer(place, options)


def _with_tools(target: Target, options: TargetOptions) -> Target:
    from hauberk.probe.targets.mcp_server import McpServer, tools_of
    from hauberk.probe.targets.with_tools import WithTools

    # The model's credentials are none of the server's business.
    plain = msgspec.structs.replace(options, api_key_env="", headers={}, tools_from="")
    return WithTools(target, tools_of(McpServer(options.tools_from.removeprefix("mcp:"), plain)))
