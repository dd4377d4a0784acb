"""The stream of a message: blocks that start, grow and stop. https://docs.claude.com/en/docs/build-with-claude/streaming."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from hauberk.assets.chat import Role
from hauberk.guard.dialects.anthropic_blocks import CALLS, gather_block
from hauberk.guard.dialects.anthropic_errors import error_body
from hauberk.guard.dialects.anthropic_usage import usage_of
from hauberk.guard.dialects.bodies import Body, compact, encode
from hauberk.guard.dialects.dialect import BadUpstream, Delta, Refusal
from hauberk.guard.dialects.event_stream import MOST_CHANNELS, JsonStream
from hauberk.guard.dialects.gather import Gatherer
from hauberk.guard.dialects.sse import event_bytes
from hauberk.guard.exchange import BadRequest, Usage

_FIELDS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
_TYPES = {"text": "text_delta", "thinking": "thinking_delta", "tool": "input_json_delta"}
_STARTS = {"text": "text", "thinking": "thinking"}  # keys of a block's first text
_SEALED = frozenset(("signature_delta",))  # nobody but the upstream reads these
_NO_SOURCE = frozenset(("type", "encrypted_index", "file_id"))  # of a citation
_MOST_CITATIONS = 10_000


class MessageStream(JsonStream):
    """Channels: `0/text/2`, `0/thinking/0`, `0/tool/1`; the last number is the block's index. There is one choice, `0`.

    A block that comes whole (a result of the upstream's own tool) has a channel `0/whole/3` which no event of ours carries;
    its texts are repeated by the event itself, which is sent when they were judged. So has a delta that comes whole, a
    citation: `0/whole/0.2`, by a number of its own.
    """

    def __init__(self, *, model: str) -> None:
        super().__init__(model=model)
        self._open: dict[int, str] = {}  # channels of blocks that started and did not stop
        self._usage: Usage | None = None
        self._blocks = 0
        self._citations = 0
        self._whole: dict[str, tuple[str, bytes]] = {}  # by channel: the texts, and what stands in their place if they may not pass

    def made(self, channel: str, text: str) -> bytes:
        """A new event that carries `text` on `channel`; empty for a block that comes whole."""
        _, kind, index = channel.split("/")
        if kind not in _TYPES:
            return b""
        delta = {"type": _TYPES[kind], _FIELDS[_TYPES[kind]]: text}
        return _event({"type": "content_block_delta", "index": int(index), "delta": delta})

    def restated(self, delta: Delta, sent: Mapping[str, str]) -> bytes:
        """`delta`, which comes whole, if its texts were let through as they are; else what stands in its place."""
        channel = delta.repeats[0]
        text, instead = self._whole.pop(channel, ("", b""))
        return delta.raw if sent.get(channel) == text else instead

    def ended(self, channel: str, finish: str) -> bytes:
        """Events that end the message: open blocks stop, and why it stopped."""
        del channel
        finish = "refusal" if finish == "content_filter" else finish
        stops = b"".join(_event({"type": "content_block_stop", "index": index}) for index in self._open)
        usage = {"output_tokens": (self._usage.output if self._usage else 0) or 0}
        reason: Body = {"type": "message_delta", "delta": {"stop_reason": finish, "stop_sequence": None}, "usage": usage}
        return stops + _event(reason) + _event({"type": "message_stop"})

    def error(self, refusal: Refusal) -> bytes:
        """An event that Anthropic's SDKs raise as an APIStatusError."""
        return event_bytes(error_body(refusal), "error")

    def _said(self, body: Body) -> Iterator[Delta]:
        match body.get("type"):
            case "message_start":
                yield self._started(body)
            case "content_block_start":
                yield from self._block(body)
            case "content_block_delta":
                yield from self._cited(body)
            case "content_block_stop":
                channel = self._open.pop(_index(body), "")
                yield Delta(_event(body), ends=(channel,) if channel else ())
            case "message_delta":
                yield self._told(body)
            case "message_stop":
                self._done = True
                yield Delta(_event(body), done=True, ends=tuple(self._open.values()))
            case _:
                yield Delta(_event(body))

    def _started(self, body: Body) -> Delta:
        message = body.get("message")
        if type(message) is not dict:
            raise BadUpstream("message_start has no message")
        message = cast("Body", message)
        if message.get("content"):
            raise BadUpstream("message_start has content, which belongs in blocks")
        if self._model:
            message["model"] = self._model
        self._usage = usage_of(message.get("usage"), self._usage)
        return Delta(_event(body), usage=self._usage)

    def _block(self, body: Body) -> Iterator[Delta]:
        index, block = _index(body), body.get("content_block")
        if type(block) is not dict or type(cast("Body", block).get("type")) is not str:
            raise BadUpstream("content_block_start has no block")
        block = cast("Body", block)
        self._blocks += 1
        if self._blocks > MOST_CHANNELS or index in self._open:
            raise BadUpstream("the stream has too many blocks, or starts one twice")
        kind = block["type"]
        if kind in CALLS:
            yield from self._call(body, block, index)
        elif kind in _STARTS:
            self._open[index] = channel = f"0/{kind}/{index}"
            text = block.get(kind) or ""
            block[kind] = ""
            yield Delta(_event(body))
            if text:
                yield Delta(self.made(channel, str(text)), channel, str(text))
        else:
            yield from self._come_whole(body, block, index)

    def _call(self, body: Body, block: Body, index: int) -> Iterator[Delta]:
        self._open[index] = channel = f"0/tool/{index}"
        given = block.get("input")
        block["input"] = {}
        name, call_id = block.get("name"), block.get("id")
        yield Delta(
            _event(body),
            channel,
            tool=name if isinstance(name, str) and name else "unnamed",
            tool_id=call_id if isinstance(call_id, str) else "",
        )
        if given:
            text = compact(given)
            yield Delta(self.made(channel, text), channel, text)

    def _come_whole(self, body: Body, block: Body, index: int) -> Iterator[Delta]:
        empty = {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}}
        return self._repeating(f"0/whole/{index}", _texts(block), _event(body), _event(empty))

    def _cited(self, body: Body) -> Iterator[Delta]:
        self._citations += 1
        if self._citations > _MOST_CITATIONS:
            raise BadUpstream(f"the stream has over {_MOST_CITATIONS} citations")
        return self._repeating(f"0/whole/{_index(body)}.{self._citations}", _texts_within(body["delta"]), _event(body), b"")

    def _repeating(self, channel: str, text: str, raw: bytes, instead: bytes) -> Iterator[Delta]:
        if not text:
            yield Delta(raw)
            return
        self._whole[channel] = text, instead
        yield Delta(b"", channel, text)
        yield Delta(raw, ends=(channel,), repeats=(channel,))

    def _grown(self, body: Body) -> Delta | None:
        if body.get("type") != "content_block_delta":
            return None
        index, delta = _index(body), body.get("delta")
        kind: Any = cast("Body", delta).get("type") if type(delta) is dict else None
        if type(kind) is not str:
            raise BadUpstream("content_block_delta has no delta")
        field = _FIELDS.get(kind)
        if field is None:
            return Delta(_event(body)) if kind in _SEALED else None
        text = cast("Body", delta).get(field)
        channel = self._open.get(index, "")
        if type(text) is not str or _TYPES.get(channel.split("/")[1] if channel else "") != kind:
            raise BadUpstream("a delta of the stream does not fit its block")
        return Delta(_event(body), channel, text) if text else Delta(_event(body))

    def _told(self, body: Body) -> Delta:
        self._usage = usage_of(body.get("usage"), self._usage)
        delta = body.get("delta")
        reason: Any = cast("Body", delta).get("stop_reason") if type(delta) is dict else None
        finish = reason if isinstance(reason, str) else ""
        ends = tuple(self._open.values()) if finish else ()
        return Delta(_event(body), "0" if finish else "", finish=finish, usage=self._usage, ends=ends)


def _event(body: Body) -> bytes:
    name = body.get("type")
    clean = name if isinstance(name, str) and name.isidentifier() and name.isascii() else "unknown"
    return event_bytes(encode(body), clean)


def _index(body: Body) -> int:
    index = body.get("index")
    if type(index) is not int or not 0 <= index < 1 << 20:
        raise BadUpstream("a block of the stream has no index")
    return index


def _texts_within(delta: Body) -> str:
    found = Gatherer(every=True)
    try:
        found.strays(delta.get("citation"), Role.ASSISTANT, ("citation",), _NO_SOURCE)
        found.strays(delta, Role.ASSISTANT, (), frozenset(("type", "citation")))
    except BadRequest as error:
        raise BadUpstream(f"a delta of the stream cannot be read: {error}") from error
    return "\n".join(piece.text for piece in found.pieces)


def _texts(block: Body) -> str:
    found = Gatherer(every=True)
    try:
        gather_block(found, block, Role.TOOL, ())
    except BadRequest as error:
        raise BadUpstream(f"a block of the stream cannot be read: {error}") from error
    return "\n".join(piece.text for piece in found.pieces)
