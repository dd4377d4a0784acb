"""Contents of OpenAI's messages: a string, or a list of typed parts. Chat and Responses spell the same parts differently."""

from typing import Any, cast

from hauberk.assets.chat import Role
from hauberk.guard.dialects.bodies import Body
from hauberk.guard.dialects.fields import object_at, string_at
from hauberk.guard.dialects.gather import Gatherer, name_of
from hauberk.guard.exchange import BadRequest, Path

_ROLES = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL,
    "function": Role.TOOL,
}
_UNREAD = {
    "input_audio": "audio",
    "audio": "audio",
    "video_url": "video",
    "input_video": "video",
    "file": "a file",
    "input_file": "a file",
    "image_file": "an image kept by the upstream",
}
_BARE = frozenset(("type", "image_url", "image_file", "input_audio", "audio", "video_url", "input_video", "file_id", "detail"))
_FILE = frozenset(("file_data", "file_id", "file_url"))
_PART = _BARE | _FILE | {"text", "refusal", "file", "cache_control", "logprobs", "id"}


def role_of(name: Any, path: Path) -> Role:
    """Who speaks. A role that nobody defined is not trusted: the user's."""
    return _ROLES.get(string_at(name, path), Role.USER)


def gather_content(found: Gatherer, content: Any, role: Role, path: Path) -> None:
    """Every text and image of a content. Raises BadRequest when it is neither a string nor a list of parts."""
    if type(content) is str:
        found.text(content, role, path)
    elif type(content) is list:
        for index, part in enumerate(cast("list[Any]", content)):
            gather_part(found, part, role, (*path, index))
    elif content is not None:
        raise BadRequest(f"{name_of(path)} must be a string or a list of content parts", name_of(path))


def gather_part(found: Gatherer, part: Any, role: Role, path: Path) -> None:
    """The texts of one part of any type, its image, or a note that it is not read."""
    if type(part) is str:
        found.text(part, role, path)
        return
    part = object_at(part, path)
    kind = string_at(part.get("type", "text"), (*path, "type"))
    found.optional(part, "text", role, path)
    found.optional(part, "refusal", role, path)
    if "image_url" in part:
        _gather_image(found, part["image_url"], (*path, "image_url"))
    elif "image" in kind and kind not in _UNREAD:
        found.skipped(path, "an image kept by the upstream")
    if kind in _UNREAD:
        found.skipped(path, _UNREAD[kind])
    if "file" in part:
        found.strays(part["file"], role, (*path, "file"), _FILE)
    found.strays(part, role, path, _PART)


def _gather_image(found: Gatherer, image: Any, path: Path) -> None:
    if type(image) is str:
        found.image(image, path)
        return
    url = cast("Body", image).get("url") if type(image) is dict else None
    if type(url) is not str:
        raise BadRequest(f"{name_of(path)} must hold the image's url", name_of(path))
    found.image(url, (*path, "url"))
