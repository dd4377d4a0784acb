"""Content blocks of Anthropic's messages, in requests and in answers."""

from typing import Any, cast

from hauberk.assets.chat import Role
from hauberk.guard.dialects.bodies import Body
from hauberk.guard.dialects.fields import object_at, string_at
from hauberk.guard.dialects.gather import Gatherer, name_of
from hauberk.guard.exchange import BadRequest, Path

CALLS = frozenset(("tool_use", "server_tool_use", "mcp_tool_use"))
_SETTINGS = frozenset(("type", "id", "tool_use_id", "cache_control", "signature", "is_error", "server_name"))
_SEALED = frozenset(("encrypted_content", "encrypted_index", "encrypted_stdout", "data", "file_id"))
_BLOCK = _SETTINGS | _SEALED | {"text", "thinking", "source", "content", "input", "name", "title", "context"}


def gather_blocks(found: Gatherer, content: Any, role: Role, path: Path) -> None:
    """Every text and image of a content. Raises BadRequest when it is neither a string nor a list of blocks."""
    if type(content) is str:
        found.text(content, role, path)
    elif type(content) is list:
        for index, block in enumerate(cast("list[Any]", content)):
            gather_block(found, block, role, (*path, index))
    elif content is not None:
        raise BadRequest(f"{name_of(path)} must be a string or a list of content blocks", name_of(path))


def gather_block(found: Gatherer, block: Any, role: Role, path: Path) -> None:
    """The texts of one block of any type. Results of tools and documents are foreign, whoever sends them."""
    block = object_at(block, path)
    kind = string_at(block.get("type"), (*path, "type"))
    role = _role_in(kind, role)
    for key in ("text", "thinking", "title", "context"):
        found.optional(block, key, role, path)
    if kind in CALLS:
        found.call(block.get("name"), block.get("input"), role, (*path, "input"), block.get("id"))
    elif "input" in block:
        found.strays(block["input"], role, (*path, "input"))
    if "source" in block:
        _gather_source(found, block["source"], kind, role, (*path, "source"))
    if "content" in block:
        _gather_inner(found, block["content"], role, (*path, "content"))
    for key in _SEALED & block.keys():
        found.skipped((*path, key), "sealed by the upstream")
    known = _BLOCK - {"name"} if kind not in CALLS else _BLOCK
    found.strays(block, role, path, known)


def _role_in(kind: str, role: Role) -> Role:
    if kind in {"document", "search_result", "web_search_result"}:
        return Role.DOCUMENT
    return Role.TOOL if kind.endswith("tool_result") else role


def _gather_inner(found: Gatherer, content: Any, role: Role, path: Path) -> None:
    if isinstance(content, dict):  # a result of a server's tool: one object
        found.strays(cast("Body", content), role, path, _SETTINGS | _SEALED)
    else:
        gather_blocks(found, content, role, path)


def _gather_source(found: Gatherer, source: Any, kind: str, role: Role, path: Path) -> None:
    if isinstance(source, str):
        found.text(source, role, path)
        return
    source = object_at(source, path)
    form = source.get("type")
    if form == "text":
        found.optional(source, "data", role, path)
    elif form == "content":
        gather_blocks(found, source.get("content"), role, (*path, "content"))
    elif kind == "image" and form == "base64":
        data = string_at(source.get("data"), (*path, "data"))
        found.image(f"data:{source.get('media_type', '')};base64,{data}", (*path, "data"))
    elif kind == "image" and form == "url":
        found.image(string_at(source.get("url"), (*path, "url")), (*path, "url"))
    else:
        found.skipped(path, f"{kind} as {form}")
