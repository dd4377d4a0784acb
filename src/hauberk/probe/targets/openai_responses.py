"""OpenAI's responses. https://platform.openai.com/docs/api-reference/responses."""

from collections.abc import Iterator
from typing import Any

import msgspec

from hauberk.assets.chat import Role, ToolCall, ToolSpec
from hauberk.probe.targets.api_errors import error_in
from hauberk.probe.targets.dialect import BadAnswer, Told, Wish
from hauberk.probe.targets.openai_chat import FILTERED, image_url, without
from hauberk.probe.targets.said import Said
from hauberk.probe.targets.sse import Event
from hauberk.probe.targets.target import Abilities, Message, Reply, Request, Step, Usage

_FINISH = {"max_output_tokens": "length", "content_filter": FILTERED}
_LAST = frozenset(("response.completed", "response.incomplete", "response.failed"))
_SPOKEN = frozenset(("response.output_text.delta", "response.refusal.delta"))


class Part(msgspec.Struct):
    """A part of a message: a text or a refusal."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None


class Item(msgspec.Struct):
    """A message, a call that we are asked to make, or one that the API made itself (`mcp_call`)."""

    type: str = ""
    content: list[Part] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: Any = None


class Why(msgspec.Struct):
    """Why it is incomplete."""

    reason: str | None = None


class Counted(msgspec.Struct):
    """The API's own count."""

    input_tokens: int | None = None
    output_tokens: int | None = None


class Response(msgspec.Struct):
    """A whole answer."""

    output: list[Item] | None = None
    status: str | None = None
    incomplete_details: Why | None = None
    usage: Counted | None = None
    error: Any = None


class Piece(msgspec.Struct):
    """One event of a streamed answer."""

    type: str = ""
    delta: Any = None
    item: Item | None = None
    response: Response | None = None
    error: Any = None
    code: Any = None
    message: Any = None


_WHOLE = msgspec.json.Decoder(Response)
_PIECE = msgspec.json.Decoder(Piece)


class OpenAIResponses:
    """`/responses`. Nothing is stored at the API; every request brings the whole conversation."""

    path = "/responses"
    models = "/models"
    root = "/v1"

    def abilities(self, *, tools: bool, images: bool, prefill: bool) -> Abilities:
        return Abilities(tools=tools, images=images, prefill=prefill)

    def headers(self, key: str) -> dict[str, str]:
        return {"authorization": f"Bearer {key}"} if key else {}

    def body(self, request: Request, wish: Wish) -> dict[str, object]:
        made: dict[str, object] = {
            "model": wish.model,
            "input": [item for message in request.messages for item in _items(message)],
            "max_output_tokens": request.max_tokens,
            "temperature": request.temperature,
            "store": False,
        }
        if wish.stream:
            made["stream"] = True
        if request.tools:
            made["tools"] = [_offered(tool) for tool in request.tools]
        if request.json_schema is not None:
            made["text"] = {"format": {"type": "json_schema", "name": "answer", "schema": request.json_schema}}
        return without(made, wish.refused)

    def read(self, body: bytes) -> Reply:
        try:
            answer = _WHOLE.decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadAnswer(f"the answer is no response ({error})") from None
        return reply_of(answer)

    def reader(self) -> "ResponseStream":
        return ResponseStream()


class ResponseStream:
    """Reads a stream of typed events; the closing one repeats the whole answer."""

    def __init__(self) -> None:
        self._said = Said()
        self._whole: Reply | None = None
        self._items: list[Item] = []

    def take(self, event: Event) -> bool:
        try:
            piece = _PIECE.decode(event.data)
        except (msgspec.DecodeError, RecursionError) as error:
            if event.data == b"[DONE]":
                return True
            raise BadAnswer(f"an event of the stream is no event of a response ({error})") from None
        if piece.type in _SPOKEN and isinstance(piece.delta, str):
            self._said.any = True
            self._said.texts.append(piece.delta)
        elif piece.type == "response.output_item.done" and piece.item is not None:
            self._said.any = True
            self._items.append(piece.item)
        elif piece.type == "error" or piece.error:
            return self._broken(Told(error_in({"error": piece.error or {"code": piece.code, "message": piece.message}})))
        elif piece.type in _LAST:
            return self._last(piece.response or Response())
        return False

    def reply(self, *, cut: bool) -> Reply:
        said = "".join(self._said.texts)
        if self._whole is not None:
            return self._whole if self._whole.text else msgspec.structs.replace(self._whole, text=said)
        reply = self._said.reply(cut=cut)
        return msgspec.structs.replace(reply, calls=tuple(_calls(self._items)), steps=tuple(_steps(self._items)))

    def _last(self, response: Response) -> bool:
        try:
            self._whole = reply_of(response, empty=bool(self._said.texts))
        except Told as told:
            return self._broken(told)
        return True

    def _broken(self, told: Told) -> bool:
        if not told.error.blocked:
            raise told
        self._said.blocked = told.error.blocked
        return True


def reply_of(answer: Response, *, empty: bool = False) -> Reply:
    """The reply that a response is. `empty`: it may hold no output, since that came before. Raises Told or BadAnswer."""
    if answer.error:
        raise Told(error_in({"error": answer.error}))
    items = answer.output or []
    reason = answer.incomplete_details.reason if answer.incomplete_details else None
    if not items and not reason and not empty:
        raise BadAnswer("the answer has no output")
    parts = [part for item in items if item.type == "message" for part in item.content or ()]
    calls = tuple(_calls(items))
    finish = _FINISH.get(reason or "", reason or ("tool_calls" if calls else "stop"))
    counted = answer.usage or Counted()
    return Reply(
        "".join(part.text or part.refusal or "" for part in parts),
        calls,
        tuple(_steps(items)),
        finish=finish,
        blocked=FILTERED if finish == FILTERED else "",
        usage=Usage(max(counted.input_tokens or 0, 0), max(counted.output_tokens or 0, 0)),
    )


def _calls(items: list[Item]) -> Iterator[ToolCall]:
    for item in items:
        if item.type == "function_call":
            yield ToolCall(item.name or "", item.arguments or "", item.call_id or "")


def _steps(items: list[Item]) -> Iterator[Step]:
    for item in items:
        if item.type == "mcp_call":
            output = item.output if isinstance(item.output, str) else ""
            yield Step(ToolCall(item.name or "", item.arguments or ""), output)


def _items(message: Message) -> Iterator[dict[str, object]]:
    if message.role is Role.TOOL:
        yield {"type": "function_call_output", "call_id": message.call_id or "call_0", "output": message.text}
        return
    if message.text or message.images or not message.calls:
        role = Role.USER if message.role is Role.DOCUMENT else message.role
        yield {"role": role.value, "content": _content(message)}
    for place, call in enumerate(message.calls):
        yield {"type": "function_call", "call_id": call.id or f"call_{place}", "name": call.name, "arguments": call.arguments}


def _content(message: Message) -> object:
    if not message.images:
        return message.text
    pictures = [{"type": "input_image", "image_url": image_url(image)} for image in message.images]
    return [*([{"type": "input_text", "text": message.text}] if message.text else []), *pictures]


def _offered(tool: ToolSpec) -> dict[str, object]:
    parameters = tool.parameters or {"type": "object", "properties": {}}
    return {"type": "function", "name": tool.name, "description": tool.description, "parameters": parameters, "strict": False}
