"""What a request says of tools: names, descriptions and schemas, each a text that reaches the model and may be poisoned."""

from typing import Any, cast

from hauberk.assets.chat import Role, ToolSpec
from hauberk.guard.dialects.bodies import Body
from hauberk.guard.dialects.fields import list_at, object_at
from hauberk.guard.dialects.gather import Gatherer, plain
from hauberk.guard.exchange import Path

# Values of these keys are words of JSON Schema or patterns, unless they stand in `properties`, where they are names.
_SCHEMA_WORDS = frozenset(("type", "format", "$schema", "required", "additionalProperties"))
_PROSE = frozenset(("description", "title"))
_NAMED = frozenset(("properties", "$defs", "definitions", "patternProperties"))
_SPEC = frozenset(("type", "name", "description", "parameters", "input_schema", "strict", "cache_control", "function"))


def gather_tools(found: Gatherer, body: Body, key: str) -> None:
    """Every tool in the list at `key`: OpenAI's nested form, the flat form of the Responses API, and Anthropic's."""
    for index, item in enumerate(list_at(body, key)):
        path: Path = (key, index)
        tool = object_at(item, path)
        function = tool.get("function")
        if type(function) is dict:
            _gather_one(found, cast("Body", function), (*path, "function"))
        _gather_one(found, tool, path)


def gather_schema(found: Gatherer, schema: Any, path: Path) -> None:
    """Every text in a JSON Schema: descriptions, titles, examples, values and names that are no plain identifiers."""
    if isinstance(schema, dict):
        _gather_members(found, cast("Body", schema), path)
    elif isinstance(schema, list):
        for index, member in enumerate(cast("list[Any]", schema)):
            gather_schema(found, member, (*path, index))
    elif isinstance(schema, str) and (path[-1] in _PROSE or not plain(schema)):
        found.text(schema, Role.TOOL, path)


def _gather_members(found: Gatherer, schema: Body, path: Path) -> None:
    named = bool(path) and path[-1] in _NAMED
    for name, member in schema.items():
        if named and not plain(name):
            found.text(name, Role.TOOL, path)  # an edit of a name empties what holds it
        if named or name not in _SCHEMA_WORDS or isinstance(member, dict):
            gather_schema(found, member, (*path, name))


def _gather_one(found: Gatherer, tool: Body, path: Path) -> None:
    name, description = tool.get("name"), tool.get("description")
    key = "input_schema" if "input_schema" in tool else "parameters"
    schema = tool.get(key)
    if isinstance(name, str):
        parameters = cast("Body", schema) if isinstance(schema, dict) else {}
        found.tools.append(ToolSpec(name, description if isinstance(description, str) else "", parameters))
        if not plain(name):
            found.text(name, Role.TOOL, (*path, "name"))
    found.optional(tool, "description", Role.TOOL, path)
    gather_schema(found, schema, (*path, key))
    found.strays(tool, Role.TOOL, path, _SPEC)
