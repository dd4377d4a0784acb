"""Anthropic's Messages. https://docs.anthropic.com/en/api/messages."""

import base64
from collections.abc import Iterator
from typing import Any, cast

import msgspec

from hauberk.assets.chat import Role, ToolCall
from hauberk.probe.targets.api_errors import error_in
from hauberk.probe.targets.dialect import BadAnswer, Told, Wish
from hauberk.probe.targets.openai_chat import image_type, without
from hauberk.probe.targets.said import Said
from hauberk.probe.targets.sse import Event
from hauberk.probe.targets.target import Abilities, Message, Reply, Request, Usage

VERSION = "2023-06-01"
REFUSED = "refusal"  # the API's own classifiers stopped the answer
_FINISH = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}


class Block(msgspec.Struct):
    """A block of an answer. Thinking is not named here, and so is passed over."""

    type: str = ""
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None


class Counted(msgspec.Struct):
    """The API's own count."""

    input_tokens: int | None = None
    output_tokens: int | None = None


class Answer(msgspec.Struct):
    """A whole answer, and the head of a streamed one."""

    content: list[Block] | None = None
    stop_reason: str | None = None
    usage: Counted | None = None
    error: Any = None


class Delta(msgspec.Struct):
    """What a streamed event adds."""

    text: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None


class Piece(msgspec.Struct):
    """One event of a streamed answer."""

    type: str = ""
    index: int = 0
    message: Answer | None = None
    content_block: Block | None = None
    delta: Delta | None = None
    usage: Counted | None = None
    error: Any = None


_WHOLE = msgspec.json.Decoder(Answer)
_PIECE = msgspec.json.Decoder(Piece)


class AnthropicMessages:
    """`/v1/messages`."""

    path = "/v1/messages"
    models = "/v1/models"
    root = ""

    def abilities(self, *, tools: bool, images: bool, prefill: bool) -> Abilities:
        return Abilities(tools=tools, images=images, prefill=prefill)

    def headers(self, key: str) -> dict[str, str]:
        return {"anthropic-version": VERSION, **({"x-api-key": key} if key else {})}

    def body(self, request: Request, wish: Wish) -> dict[str, object]:
        made: dict[str, object] = {
            "model": wish.model,
            "max_tokens": request.max_tokens,
            "temperature": min(max(request.temperature, 0.0), 1.0),
            "messages": _turns(request.messages),
        }
        system = "\n\n".join(message.text for message in request.messages if message.role is Role.SYSTEM)
        if system:
            made["system"] = system
        if wish.stream:
            made["stream"] = True
        if request.tools:
            made["tools"] = [
                {"name": tool.name, "description": tool.description, "input_schema": tool.parameters or {"type": "object"}}
                for tool in request.tools
            ]
        return without(made, wish.refused)

    def read(self, body: bytes) -> Reply:
        try:
            answer = _WHOLE.decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadAnswer(f"the answer is no message ({error})") from None
        if answer.error:
            raise Told(error_in({"error": answer.error}))
        if answer.content is None:
            raise BadAnswer("the answer has no content")
        if not answer.content and not answer.stop_reason:
            raise BadAnswer("the answer is empty")
        text = "".join(block.text or "" for block in answer.content if block.type == "text")
        calls = tuple(_called(block) for block in answer.content if block.type == "tool_use")
        counted = answer.usage or Counted()
        usage = Usage(max(counted.input_tokens or 0, 0), max(counted.output_tokens or 0, 0))
        return Reply(text, calls, finish=_finish(answer.stop_reason), blocked=_blocked(answer.stop_reason), usage=usage)

    def reader(self) -> "MessageStream":
        return MessageStream()


class MessageStream:
    """Reads a stream of typed events."""

    def __init__(self) -> None:
        self._said = Said()

    def take(self, event: Event) -> bool:
        try:
            piece = _PIECE.decode(event.data)
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadAnswer(f"an event of the stream is no event of a message ({error})") from None
        if piece.type == "error" or piece.error:
            told = Told(error_in({"error": piece.error}))
            if not told.error.blocked:
                raise told
            self._said.blocked = told.error.blocked
            return True
        if piece.type == "message_stop":
            self._said.ended = True
            return True
        self._take(piece)
        return False

    def reply(self, *, cut: bool) -> Reply:
        return self._said.reply(cut=cut)

    def _take(self, piece: Piece) -> None:
        said = self._said
        said.any = said.any or piece.type.startswith(("message_", "content_block"))
        self._count(piece.message.usage if piece.message else piece.usage)
        block = piece.content_block
        if block is not None:
            if block.text:
                said.texts.append(block.text)
            if block.type == "tool_use":
                said.call(piece.index, block.id or "", block.name or "", "")
        if piece.delta is None:
            return
        if piece.delta.text:
            said.texts.append(piece.delta.text)
        if piece.delta.partial_json:
            said.call(piece.index, "", "", piece.delta.partial_json)
        if piece.delta.stop_reason:
            said.finish = _finish(piece.delta.stop_reason)
            said.blocked = _blocked(piece.delta.stop_reason)

    def _count(self, counted: Counted | None) -> None:
        if counted is not None:
            known = self._said.usage
            self._said.usage = Usage(
                max(counted.input_tokens or 0, known.prompt), max(counted.output_tokens or 0, known.completion)
            )


def _finish(reason: str | None) -> str:
    return _FINISH.get(reason or "", "content_filter" if reason == REFUSED else reason or "")


def _blocked(reason: str | None) -> str:
    return REFUSED if reason == REFUSED else ""


def _called(block: Block) -> ToolCall:
    return ToolCall(block.name or "", msgspec.json.encode(block.input if block.input is not None else {}).decode(), block.id or "")


def _turns(messages: tuple[Message, ...]) -> list[dict[str, object]]:
    """The conversation in turns: what follows one another from the same side is one turn, as the API wants tools' results."""
    turns: list[tuple[str, list[dict[str, object]]]] = []
    for message in messages:
        if message.role is Role.SYSTEM:
            continue
        role = "assistant" if message.role is Role.ASSISTANT else "user"
        if not turns or turns[-1][0] != role:
            turns.append((role, []))
        turns[-1][1].extend(_blocks(message))
    if turns and turns[-1][0] == "assistant" and turns[-1][1] and "text" in turns[-1][1][-1]:
        last = turns[-1][1][-1]
        last["text"] = str(last["text"]).rstrip()  # the API refuses a beginning of an answer that ends in white space
    return [{"role": role, "content": blocks} for role, blocks in turns]


def _blocks(message: Message) -> Iterator[dict[str, object]]:
    if message.role is Role.TOOL:
        yield {"type": "tool_result", "tool_use_id": message.call_id or "call_0", "content": message.text}
        return
    for image in message.images:
        data = base64.b64encode(image).decode("ascii")
        yield {"type": "image", "source": {"type": "base64", "media_type": image_type(image), "data": data}}
    if message.text:
        yield {"type": "text", "text": message.text}
    for place, call in enumerate(message.calls):
        yield {"type": "tool_use", "id": call.id or f"call_{place}", "name": call.name, "input": _arguments(call)}


def _arguments(call: ToolCall) -> object:
    try:
        found = msgspec.json.decode(call.arguments or "{}")
    except (msgspec.DecodeError, RecursionError):
        return {"arguments": call.arguments}
    return cast("object", found) if isinstance(found, dict) else {"arguments": found}
