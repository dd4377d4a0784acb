"""Replies of targets that we call ourselves: strings, objects, or what an OpenAI-compatible API would say."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from hauberk.assets.chat import Role
from hauberk.probe.targets.dialect import BadAnswer
from hauberk.probe.targets.openai_chat import OpenAIChat, turn
from hauberk.probe.targets.target import Message, Reply, Request

TEXT_KEYS = ("text", "content", "answer", "response", "output")


def reply_from(value: object, most: int) -> Reply:
    """The reply that `value` means, its text cut at `most` characters.

    Strings are the text. Objects have the text under `text` (or content, answer, response, output) and may have the other fields of
    `Reply`; one with `choices` is read as a chat completion.

    Raises:
        BadAnswer: It is none of these.
        Told: It is an error in the form of an API's.
    """
    if isinstance(value, str):
        reply = Reply(value)
    elif isinstance(value, Reply):
        reply = value
    elif isinstance(value, Mapping):
        reply = _from_object({str(key): inner for key, inner in cast("Mapping[object, object]", value).items()})
    else:
        raise BadAnswer(f"the answer is a {type(value).__name__}; give a string, an object with `text`, or a Reply")
    return reply if len(reply.text) <= most else msgspec.structs.replace(reply, text=reply.text[:most], cut=True)


def _from_object(value: dict[str, object]) -> Reply:
    if "choices" in value or "error" in value:
        try:
            return OpenAIChat().read(msgspec.json.encode(value))
        except (TypeError, ValueError, RecursionError) as error:
            raise BadAnswer(str(error)) from None
    key = next((key for key in TEXT_KEYS if key in value), "")
    if not key and not value.keys() & {"calls", "steps", "blocked"}:
        raise BadAnswer("the answer's object has no `text`")
    text = value.pop(key, "") if key else ""
    known: dict[str, object] = {name: value[name] for name in Reply.__struct_fields__ if name in value and name != "requests"}
    try:
        return msgspec.convert({**known, "text": "" if text is None else text}, Reply)
    except (msgspec.ValidationError, RecursionError) as error:
        raise BadAnswer(f"the answer's object cannot be read: {error}") from None


def last_text(request: Request) -> str:
    """What the user said last."""
    return next((message.text for message in reversed(request.messages) if message.role is Role.USER), "")


def plain_messages(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    """Messages as OpenAI's API writes them, which is what most code takes."""
    return [turn(message) for message in messages]


def with_system(request: Request, system: str) -> Request:
    """`request` with the application's system prompt in front when it brings none."""
    if not system or any(message.role is Role.SYSTEM for message in request.messages):
        return request
    return msgspec.structs.replace(request, messages=(Message(Role.SYSTEM, system), *request.messages))
