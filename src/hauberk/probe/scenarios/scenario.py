"""Scenario: an application's tools with what they answer. Nothing is done: a call is answered from the file, and recorded."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from hauberk.assets.chat import ToolCall, ToolSpec
from hauberk.core import Text
from hauberk.probe.plain_yaml import read_yaml

LONGEST_ARGUMENT = 200
"""Characters of an argument that a tool's answer repeats."""
PAYLOAD = "{payload}"


class ScenarioError(Exception):
    """A scenario that cannot be used; one line."""


class Tool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One simulated tool.

    Attributes:
        parameters: Name -> what it is; all are strings and required.
        answer: What a call gives, `{name}` for an argument; `{payload}` where an attacker's words stand.
        foreign: Whether its answer is content from outside, in which an attacker can plant an order.
    """

    name: str
    description: Text
    parameters: dict[str, Text] = {}
    answer: Text | None = None
    foreign: bool = False

    def spec(self, lang: str, note: str = "") -> ToolSpec:
        """The tool as a request offers it; `note` is added to its description."""
        properties = {name: {"type": "string", "description": text[lang]} for name, text in self.parameters.items()}
        schema: dict[str, object] = {"type": "object", "properties": properties, "required": list(self.parameters)}
        return ToolSpec(self.name, f"{self.description[lang]}{' ' if note else ''}{note}", schema)


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An application: its system prompt and its tools."""

    name: str
    title: Text
    system: Text
    tools: tuple[Tool, ...]

    def specs(self, lang: str, note: str = "") -> tuple[ToolSpec, ...]:
        """Its tools; `note` is planted in the description of the first foreign one."""
        poisoned = next((tool.name for tool in self.tools if tool.foreign), "")
        return tuple(tool.spec(lang, note if tool.name == poisoned else "") for tool in self.tools)

    def answer(self, call: ToolCall, lang: str, payload: str = "") -> str:
        """What `call` gives, with `payload` planted where the answer is foreign content."""
        tool = next((tool for tool in self.tools if tool.name == call.name), None)
        if tool is None:
            return f"error: there is no tool {call.name[:60]!r}"
        text = tool.answer[lang] if tool.answer else "ok"
        for name, value in arguments_of(call).items():
            text = text.replace(f"{{{name}}}", str(value)[:LONGEST_ARGUMENT])
        return text.replace(PAYLOAD, payload)


def arguments_of(call: ToolCall) -> Mapping[str, Any]:
    """The arguments of a call as a mapping; empty when the model wrote no JSON object."""
    try:
        found: object = msgspec.json.decode(call.arguments or "{}")
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return {}
    return msgspec.convert(found, dict[str, Any]) if isinstance(found, dict) else {}


def read_scenario(data: bytes, name: str) -> Scenario:
    """A scenario from its YAML. Raises ScenarioError."""
    try:
        made = msgspec.convert(read_yaml(data), Scenario)
    except ValueError as error:
        raise ScenarioError(f"{name}: {' '.join(str(error).split())[:300]}") from error
    if not any(tool.foreign and tool.answer and PAYLOAD in tool.answer.en and PAYLOAD in tool.answer.zh for tool in made.tools):
        raise ScenarioError(f"{name}: no tool brings foreign content with {PAYLOAD}")
    return made


@cache
def scenarios() -> dict[str, Scenario]:
    """The scenarios that ship, by name."""
    folder = files("hauberk.probe.scenarios") / "data"
    found = [read_scenario(entry.read_bytes(), entry.name) for entry in folder.iterdir() if entry.name.endswith(".yaml")]
    return {one.name: one for one in sorted(found, key=lambda one: one.name)}
