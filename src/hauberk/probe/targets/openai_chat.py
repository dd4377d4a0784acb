"""OpenAI's chat completions, as nearly every server speaks them. https://platform.openai.com/docs/api-reference/chat."""

import base64
from collections.abc import Iterator
from typing import Any, cast

import msgspec

from hauberk.assets.chat import Role, ToolCall, ToolSpec
from hauberk.probe.targets.api_errors import error_in
from hauberk.probe.targets.dialect import BadAnswer, Told, Wish
from hauberk.probe.targets.said import MOST_CALLS, Said
from hauberk.probe.targets.sse import Event
from hauberk.probe.targets.target import Abilities, Message, Reply, Request, Usage

FILTERED = "content_filter"
MOST_TOKENS = 1 << 32  # of one exchange; more is no count


class Function(msgspec.Struct):
    """A called function. Some servers give the arguments as an object."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class Call(msgspec.Struct):
    """A tool call, whole or a piece of a streamed one."""

    index: int | None = None
    id: str | None = None
    function: Function | None = None


class Part(msgspec.Struct):
    """A part of a message's content."""

    type: str = ""
    text: str | None = None


class Turn(msgspec.Struct):
    """A message of the assistant, or a streamed piece of one. Reasoning is not named here, and so is passed over."""

    content: str | list[Part] | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None
    function_call: Function | None = None


class Choice(msgspec.Struct):
    """One of the answers; `text` is that of the older completions."""

    message: Turn | None = None
    delta: Turn | None = None
    text: str | None = None
    finish_reason: str | None = None


class Completion(msgspec.Struct):
    """An answer, or one event of a streamed one."""

    choices: list[Choice] | None = None
    usage: Any = None  # a count that cannot be read must not cost the answer
    error: Any = None


_DECODER = msgspec.json.Decoder(Completion)


class OpenAIChat:
    """`/chat/completions`."""

    path = "/chat/completions"
    models = "/models"
    root = "/v1"

    def abilities(self, *, tools: bool, images: bool, prefill: bool) -> Abilities:
        return Abilities(tools=tools, images=images, prefill=prefill)

    def headers(self, key: str) -> dict[str, str]:
        return {"authorization": f"Bearer {key}"} if key else {}

    def body(self, request: Request, wish: Wish) -> dict[str, object]:
        made: dict[str, object] = {"model": wish.model, "messages": [turn(message) for message in request.messages]}
        made.update(settings(request, wish))
        if request.tools:
            made["tools"] = [offered(tool) for tool in request.tools]
        if request.json_schema is not None:
            made["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": request.json_schema}}
        return without(made, wish.refused)

    def read(self, body: bytes) -> Reply:
        answer = decoded(body)
        message = first_choice(answer).message
        if message is None:
            raise BadAnswer("the answer's choice has no message")
        return whole(answer, content_of(message), tuple(calls_of(message)))

    def reader(self) -> "ChoiceStream":
        return ChoiceStream()


class ChoiceStream:
    """Reads a stream of choices: that of chat, and that of completions."""

    def __init__(self) -> None:
        self._said = Said()

    def take(self, event: Event) -> bool:
        if event.data == b"[DONE]":
            self._said.ended = True
            return True
        try:
            chunk = decoded(event.data)
        except Told as told:
            reason = told.error.blocked
            if not reason:
                raise
            self._said.blocked = reason
            return True
        if chunk.usage is not None:
            self._said.usage = usage_of(chunk.usage)
        for choice in chunk.choices or ():
            self._take(choice)
        return False

    def reply(self, *, cut: bool) -> Reply:
        return self._said.reply(cut=cut)

    def _take(self, choice: Choice) -> None:
        said = self._said
        said.any = True
        if choice.finish_reason:
            said.finish = choice.finish_reason
            said.blocked = FILTERED if choice.finish_reason == FILTERED else said.blocked
        if choice.text:
            said.texts.append(choice.text)
        piece = choice.delta or choice.message
        if piece is None:
            return
        text = content_of(piece)
        if text:
            said.texts.append(text)
        for place, call in enumerate(piece.tool_calls or ()):
            function = call.function or Function()
            index = call.index if call.index is not None else place
            said.call(index, call.id or "", function.name or "", arguments_of(function))


def turn(message: Message) -> dict[str, object]:
    """A message as the API takes it. A document has no role of its own there and comes as the user's."""
    role = Role.USER if message.role is Role.DOCUMENT else message.role
    made: dict[str, object] = {"role": role.value, "content": _content(message)}
    if message.calls:
        made["tool_calls"] = [
            {"id": call.id or f"call_{place}", "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for place, call in enumerate(message.calls)
        ]
    if role is Role.TOOL:
        made["tool_call_id"] = message.call_id or "call_0"
    return made


def offered(tool: ToolSpec) -> dict[str, object]:
    """A tool as the API takes it."""
    parameters = tool.parameters or {"type": "object", "properties": {}}
    return {"type": "function", "function": {"name": tool.name, "description": tool.description, "parameters": parameters}}


def settings(request: Request, wish: Wish) -> dict[str, object]:
    """The settings that chat and completions share. What the API wants under a newer name goes there once it said so."""
    bound = "max_completion_tokens" if "max_tokens" in wish.refused else "max_tokens"
    made: dict[str, object] = {bound: request.max_tokens, "temperature": request.temperature}
    if request.seed is not None:
        made["seed"] = request.seed
    if wish.stream:
        made["stream"] = True
        made["stream_options"] = {"include_usage": True}
    return made


def without(made: dict[str, object], refused: frozenset[str]) -> dict[str, object]:
    """`made` without the parameters that the API has refused."""
    return {key: value for key, value in made.items() if key not in refused} if refused else made


def decoded(body: bytes) -> Completion:
    """The answer in `body`. Raises Told for an error in its place, BadAnswer for anything else."""
    try:
        answer = _DECODER.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadAnswer(f"the answer is no completion ({error})") from None
    if answer.error:
        raise Told(error_in({"error": answer.error}))
    return answer


def first_choice(answer: Completion) -> Choice:
    """The first choice. Raises BadAnswer when there is none."""
    if not answer.choices:
        raise BadAnswer("the answer has no choices")
    return answer.choices[0]


def whole(answer: Completion, text: str, calls: tuple[ToolCall, ...] = ()) -> Reply:
    """The reply that a whole answer is."""
    finish = first_choice(answer).finish_reason or ""
    usage = usage_of(answer.usage) if answer.usage is not None else Usage()
    return Reply(text, calls, finish=finish, blocked=FILTERED if finish == FILTERED else "", usage=usage)


def usage_of(counted: object) -> Usage:
    """The API's count; servers that send null, or what is no count, count nothing."""
    known = cast("dict[str, object]", counted) if isinstance(counted, dict) else {}
    return Usage(_count(known.get("prompt_tokens")), _count(known.get("completion_tokens")))


def _count(value: object) -> int:
    return int(value) if isinstance(value, int | float) and 0 <= value <= MOST_TOKENS else 0


def content_of(message: Turn) -> str:
    """The text, or the refusal that stands in its place."""
    content = message.content
    if isinstance(content, list):
        content = "".join(part.text or "" for part in content)
    return content or message.refusal or ""


def calls_of(message: Turn) -> Iterator[ToolCall]:
    """The tool calls. Raises BadAnswer for more than an answer may have."""
    if message.tool_calls and len(message.tool_calls) > MOST_CALLS:
        raise BadAnswer(f"the answer makes more than {MOST_CALLS} tool calls")
    for call in message.tool_calls or ():
        function = call.function or Function()
        yield ToolCall(function.name or "", arguments_of(function), call.id or "")
    if message.function_call is not None:
        yield ToolCall(message.function_call.name or "", arguments_of(message.function_call))


def arguments_of(function: Function) -> str:
    """The arguments as JSON text."""
    given = function.arguments
    return msgspec.json.encode(given).decode() if isinstance(given, dict) else given or ""


def image_url(image: bytes) -> str:
    """An image as a data URL; what is no JPEG is taken for a PNG."""
    return f"data:{image_type(image)};base64,{base64.b64encode(image).decode('ascii')}"


def image_type(image: bytes) -> str:
    """The media type, by the first bytes."""
    return "image/jpeg" if image.startswith(b"\xff\xd8\xff") else "image/png"


def _content(message: Message) -> object:
    if not message.images:
        return message.text if message.text or not message.calls else None
    pictures: list[dict[str, object]] = [{"type": "image_url", "image_url": {"url": image_url(image)}} for image in message.images]
    return [*([{"type": "text", "text": message.text}] if message.text else []), *pictures]
