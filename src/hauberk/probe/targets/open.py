"""From what the user writes to a target."""

from collections.abc import Callable

from hauberk.probe.targets.anthropic import AnthropicMessages
from hauberk.probe.targets.command import CommandTarget
from hauberk.probe.targets.gguf import GgufTarget
from hauberk.probe.targets.http_api import HttpApiTarget
from hauberk.probe.targets.lines import one_line
from hauberk.probe.targets.mcp_server import McpServer
from hauberk.probe.targets.model_api import ModelApi
from hauberk.probe.targets.openai_chat import OpenAIChat
from hauberk.probe.targets.openai_completions import OpenAICompletions
from hauberk.probe.targets.openai_responses import OpenAIResponses
from hauberk.probe.targets.options import TargetOptions
from hauberk.probe.targets.python_call import PythonCall
from hauberk.probe.targets.target import Fault, Target, TargetError

_KINDS: dict[str, Callable[[str, TargetOptions], Target]] = {
    "http": lambda rest, options: ModelApi(f"http:{rest}", options, OpenAIChat()),
    "https": lambda rest, options: ModelApi(f"https:{rest}", options, OpenAIChat()),
    "openai": lambda rest, options: ModelApi(rest, options, OpenAIChat()),
    "openai-completions": lambda rest, options: ModelApi(rest, options, OpenAICompletions()),
    "openai-responses": lambda rest, options: ModelApi(rest, options, OpenAIResponses()),
    "anthropic": lambda rest, options: ModelApi(rest, options, AnthropicMessages()),
    "python": PythonCall,
    "command": lambda rest, options: CommandTarget(rest, options, "text"),
    "command-json": lambda rest, options: CommandTarget(rest, options, "json"),
    "command-lines": lambda rest, options: CommandTarget(rest, options, "lines"),
    "gguf": GgufTarget,
    "mcp": McpServer,
}


def open_target(spec: str, options: TargetOptions | None = None) -> Target:
    """The target that `spec` names: an address, `KIND:...`, or a TOML file that describes an HTTP API. Nothing is sent yet.

    Raises:
        TargetError: SETUP, when it cannot work at all.
    """
    options = options or TargetOptions()
    if spec.endswith(".toml"):
        return HttpApiTarget(spec, options)
    kind, colon, rest = spec.partition(":")
    if colon and kind in _KINDS:
        return _KINDS[kind](rest, options)
    known = ", ".join(f"{kind}:" for kind in _KINDS)
    raise TargetError(Fault.SETUP, f"target {one_line(spec, 80)!r} is of no known kind; give a .toml file or one of {known}")
