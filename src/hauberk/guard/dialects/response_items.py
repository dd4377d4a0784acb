"""Items of the Responses API: messages, calls, their outputs, reasoning. The same in a request's input and an answer's output."""

from typing import Any, cast

from hauberk.assets.chat import Role
from hauberk.guard.dialects.bodies import Body
from hauberk.guard.dialects.fields import list_at, object_at, string_at
from hauberk.guard.dialects.gather import Gatherer, name_of
from hauberk.guard.dialects.openai_parts import gather_content, role_of
from hauberk.guard.exchange import BadRequest, Path

CALL_TEXT = {
    "function_call": "arguments",
    "mcp_call": "arguments",
    "mcp_approval_request": "arguments",
    "custom_tool_call": "input",
}
"""Items in which the model calls a tool: the key of its arguments."""

_SETTINGS = frozenset(
    ("type", "id", "call_id", "status", "role", "name", "server_label", "encrypted_content", "result", "logprobs")
)
_FOUND = frozenset(("results", "outputs", "output", "tools", "error"))  # what a tool gave back, within the item that called it


def gather_items(found: Gatherer, items: Any, path: Path, role: Role) -> None:
    """Every text of a list of items, or of a string in its place. `role` speaks where an item does not say who does."""
    if type(items) is str:
        found.text(items, role, path)
    elif type(items) is list:
        for index, item in enumerate(cast("list[Any]", items)):
            gather_item(found, item, (*path, index), role)
    elif items is not None:
        raise BadRequest(f"{name_of(path)} must be a string or a list of items", name_of(path))


def gather_item(found: Gatherer, item: Any, path: Path, role: Role) -> None:
    """Every text of one item of any type."""
    if type(item) is str:
        found.text(item, role, path)
        return
    item = object_at(item, path)
    kind = string_at(item.get("type", "message"), (*path, "type"))
    if kind == "message":
        speaker = role_of(item["role"], (*path, "role")) if "role" in item else role
        gather_content(found, item.get("content"), speaker, (*path, "content"))
        found.strays(item, speaker, path, _SETTINGS | {"content", "phase"})
    elif kind == "reasoning":
        for key in ("summary", "content"):
            for index, part in enumerate(list_at(item, key, path)):
                found.optional(object_at(part, (*path, key, index)), "text", Role.ASSISTANT, (*path, key, index))
    elif kind == "item_reference":
        found.skipped(path, "an item kept by the upstream")
    elif kind.endswith("_output"):
        _gather_output(found, item, path)
    else:
        _gather_call(found, item, kind, path, role)
    if item.get("encrypted_content"):
        found.skipped(path, "sealed by the upstream")


def _gather_output(found: Gatherer, item: Body, path: Path) -> None:
    output = item.get("output")
    if isinstance(output, dict):
        image = cast("Body", output).get("image_url")
        if isinstance(image, str):
            found.image(image, (*path, "output", "image_url"))
        found.strays(cast("Body", output), Role.TOOL, (*path, "output"), frozenset(("image_url", "file_id")))
    else:
        gather_content(found, output, Role.TOOL, (*path, "output"))
    found.strays(item, Role.TOOL, path, _SETTINGS | {"output"})


def _gather_call(found: Gatherer, item: Body, kind: str, path: Path, role: Role) -> None:
    key = CALL_TEXT.get(kind, "")
    if key:
        found.call(item.get("name"), item.get(key), Role.ASSISTANT, (*path, key), item.get("call_id"))
    for gave in _FOUND & item.keys():
        found.strays(item[gave], Role.DOCUMENT if kind == "file_search_call" else Role.TOOL, (*path, gave))
    speaker = Role.ASSISTANT if kind.endswith("_call") else role
    found.strays(item, speaker, path, _SETTINGS | _FOUND | {key})
