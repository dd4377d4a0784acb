"""What a request's tools say of themselves, as messages to be judged: descriptions are read by the model, and can lie."""

from collections.abc import Iterator
from typing import Any, cast

from hauberk.assets.chat import Context, Direction, MessageContent, Role, ToolSpec

MAX_TEXT = 200_000  # characters of one tool
_MAX_DEPTH = 32
_WORDS = frozenset({"title", "description", "default", "const", "$comment"})
_LISTS = frozenset({"enum", "examples", "required"})


def tool_messages(tools: tuple[ToolSpec, ...], context: Context | None = None) -> tuple[tuple[ToolSpec, MessageContent], ...]:
    """Each tool with its words as a message of role `tool`: name, description, and every text in its schema.

    A text longer than `MAX_TEXT` ends in a line that says so; a caller that must not miss anything refuses such a tool.
    """
    return tuple(
        (tool, MessageContent(_words_of(tool), Role.TOOL, Direction.INPUT, context if context is not None else Context()))
        for tool in tools
    )


def is_whole(message: MessageContent) -> bool:
    """Whether the message that was made of a tool holds all its words."""
    return _CUT not in message.text


_CUT = "\n[the description goes on]"


def _words_of(tool: ToolSpec) -> str:
    lines: list[str] = []
    size = 0
    for line in _lines(tool):
        size += len(line) + 1
        if size > MAX_TEXT:
            return "\n".join((*lines, line[: MAX_TEXT - (size - len(line) - 1)])) + _CUT
        lines.append(line)
    return "\n".join(lines)


def _lines(tool: ToolSpec) -> Iterator[str]:
    yield f"{tool.name}: {tool.description}" if tool.description else tool.name
    yield from _schema_lines(tool.parameters, 0)


def _schema_lines(schema: Any, depth: int) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        yield _CUT
        return
    if isinstance(schema, list):
        for item in cast("list[Any]", schema):
            yield from _schema_lines(item, depth + 1)
    if not isinstance(schema, dict):
        return
    for key, value in cast("dict[str, Any]", schema).items():
        if key in _WORDS and isinstance(value, str):
            yield value
        elif key in _LISTS and isinstance(value, list):
            yield from (item for item in cast("list[Any]", value) if isinstance(item, str))
        elif isinstance(value, dict | list):
            if key not in _KEYWORDS:
                yield key
            yield from _schema_lines(value, depth + 1)


_KEYWORDS = frozenset(
    {"properties", "items", "anyOf", "oneOf", "allOf", "not", "$defs", "definitions", "additionalProperties", "type"}
)
