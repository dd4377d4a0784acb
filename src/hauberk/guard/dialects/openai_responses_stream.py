"""The stream of a response: deltas, and closing events that say everything they said once more, up to three times.

https://platform.openai.com/docs/api-reference/responses-streaming.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import msgspec

from hauberk.assets.chat import Role
from hauberk.guard.dialects import edits as editing
from hauberk.guard.dialects.bodies import Body, decode, encode
from hauberk.guard.dialects.dialect import BadUpstream, Delta, Refusal
from hauberk.guard.dialects.event_stream import MOST_CHANNELS, JsonStream
from hauberk.guard.dialects.fields import openai_usage, raise_error
from hauberk.guard.dialects.gather import Gatherer
from hauberk.guard.dialects.openai_errors import error_object
from hauberk.guard.dialects.response_items import CALL_TEXT, gather_item
from hauberk.guard.dialects.sse import event_bytes
from hauberk.guard.exchange import BadRequest, Edit, Path

_CALLS = {  # what a call's deltas are named by the kind of its item
    "function_call": "function_call_arguments",
    "mcp_call": "mcp_call_arguments",
    "custom_tool_call": "custom_tool_call_input",
}
_CALL_KINDS = frozenset(_CALLS.values())
_PARTS = {"text": "output_text", "output_text": "output_text", "reasoning_text": "reasoning_text", "refusal": "refusal"}
_TEXTS = ("text", "refusal", "arguments", "input", "code", "transcript")
_PLACES = ("output_index", "content_index", "summary_index")
_LAST = frozenset(("response.completed", "response.incomplete", "response.failed"))
_NO_TEXT = frozenset(("response.audio.delta", "response.output_audio.delta"))  # base64
_CHANGING = frozenset(("delta", "logprobs", "obfuscation"))


class _Repeat(msgspec.Struct, frozen=True):
    """A text that an event says whole, and the channel that it was streamed on, if it was."""

    path: Path
    channel: str
    text: str
    tool: str = ""
    tool_id: str = ""


class ResponseStream(JsonStream):
    """Channels: `0/output_text/1/0` item 1's first part, `0/tool/2` arguments of the call that is item 2, and so on.

    A text that is only said whole has a channel too, which no event of ours carries: it is judged, then the event is sent.
    """

    def __init__(self, *, model: str) -> None:
        super().__init__(model=model)
        self._shapes: dict[str, Body] = {}  # by channel: the event that carries its text, without the text
        self._seen: set[str] = set()
        self._open: dict[str, None] = {}
        self._response: Body = {}
        self._number = 0

    def made(self, channel: str, text: str) -> bytes:
        """A new event that carries `text` on `channel`; empty for a text that the upstream only said whole."""
        shape = self._shapes.get(channel)
        return _event({**shape, "delta": text}) if shape else b""

    def restated(self, delta: Delta, sent: Mapping[str, str]) -> bytes:
        """`delta` with what was sent in the place of the texts it repeats."""
        body = decode(delta.raw.partition(b"data: ")[2])
        told = ((repeat, sent.get(repeat.channel, "")) for repeat in _repeats(body))
        spell_anew(body, (Edit(repeat.path, text) for repeat, text in told if text != repeat.text))
        return _event(body)

    def ended(self, channel: str, finish: str) -> bytes:
        """The closing event of a response that is incomplete because of `finish`."""
        del channel
        response: Body = {**self._response, "status": "incomplete", "incomplete_details": {"reason": finish}, "output": []}
        return _event({"type": "response.incomplete", "sequence_number": self._number + 1, "response": response})

    def error(self, refusal: Refusal) -> bytes:
        """An event that OpenAI's SDKs raise as an APIError: they look for `error`, others for the flat fields."""
        error = error_object(refusal)
        flat = {"code": error["code"], "message": error["message"], "param": error["param"]}
        return _event({"type": "error", "sequence_number": self._number + 1, **flat, "error": error})

    def _terminated(self) -> Iterable[Delta]:
        return ()  # the closing event is the last one here

    def _grown(self, body: Body) -> Delta | None:
        kind = _kind(body)
        number = body.get("sequence_number")
        self._number = number if type(number) is int else self._number + 1
        if not kind.endswith(".delta") or kind in _NO_TEXT or type(body.get("delta")) is not str:
            return None
        channel = _channel(kind.removeprefix("response.").removesuffix(".delta"), body)
        if channel not in self._shapes:
            self._begin(channel, {key: value for key, value in body.items() if key not in _CHANGING})
        return Delta(_event(body), channel, body["delta"]) if body["delta"] else Delta(_event(body))

    def _said(self, body: Body) -> Iterable[Delta]:
        kind = _kind(body)
        if kind == "response.output_item.added" and _called(body):
            return self._call(body)
        return self._repeated(body, kind)

    def _begin(self, channel: str, shape: Body | None = None) -> None:
        if len(self._seen) >= MOST_CHANNELS:
            raise BadUpstream(f"the stream has over {MOST_CHANNELS} parts")
        self._seen.add(channel)
        self._open[channel] = None
        if shape is not None:
            if shape["type"] == "response.output_text.delta":
                shape["logprobs"] = []
            self._shapes[channel] = shape

    def _call(self, body: Body) -> Iterator[Delta]:
        item = cast("Body", body["item"])
        key = CALL_TEXT[item["type"]]
        given, item[key] = item.get(key), ""
        channel = _channel(_CALLS[item["type"]], body)
        if channel not in self._seen:
            place = {"output_index": body.get("output_index"), "item_id": item.get("id"), "sequence_number": self._number}
            self._begin(channel, {"type": f"response.{_CALLS[item['type']]}.delta", **place})
        yield Delta(_event(body), channel, tool=_word(item.get("name"), "unnamed"), tool_id=_word(item.get("call_id")))
        if given and isinstance(given, str):
            yield Delta(self.made(channel, given), channel, given)

    def _repeated(self, body: Body, kind: str) -> Iterator[Delta]:
        last = kind in _LAST
        response = self._noted(body, last=last)
        repeats = _repeats(body)
        for repeat in repeats:
            if repeat.channel not in self._seen:
                self._begin(repeat.channel)
                if repeat.tool:
                    yield Delta(b"", repeat.channel, tool=repeat.tool, tool_id=repeat.tool_id)
                yield Delta(b"", repeat.channel, repeat.text)
        named = dict.fromkeys(repeat.channel for repeat in repeats)
        ends = tuple(self._open if last else (channel for channel in named if channel in self._open))
        for channel in ends:
            del self._open[channel]
        yield Delta(
            _event(body),
            finish=finish_of(response) if last else "",
            usage=openai_usage(response.get("usage")),
            done=last,
            ends=ends,
            repeats=tuple(named),
        )

    def _noted(self, body: Body, *, last: bool) -> Body:
        response: Any = body.get("response")
        if type(response) is not dict:
            if last:
                raise BadUpstream("the closing event has no response")
            return {}
        response = cast("Body", response)
        if last and response.get("error"):
            raise_error(response)
        if self._model:
            response["model"] = self._model
        self._response = {key: value for key, value in response.items() if key != "output"}
        self._done = last
        return response


def finish_of(response: Body) -> str:
    """Why a response ended: why it is incomplete, else its status."""
    details = response.get("incomplete_details")
    reason = cast("Body", details).get("reason") if type(details) is dict else None
    return _word(reason) or _word(response.get("status"))


def spell_anew(body: Body, edits: Iterable[Edit]) -> None:
    """Applies `edits`; what points into the old texts (logprobs, annotations) goes. Raises LookupError for a path to nowhere."""
    edits = tuple(edits)
    holders = [_holder(body, edit.path) for edit in edits]  # before an edit takes away what another one stands in
    editing.apply(body, edits)
    for holder in holders:
        if isinstance(holder, dict):
            for key in {"logprobs", "annotations"} & cast("Body", holder).keys():
                holder[key] = []


def _holder(body: Body, path: Path) -> Any:
    holder: Any = body
    for step in path[:-1]:
        holder = holder[step]
    return holder


def _repeats(body: Body) -> list[_Repeat]:
    kind = cast("str", body["type"])
    if type(body.get("response")) is dict:
        output = cast("Body", body["response"]).get("output")
        items = cast("list[Any]", output) if type(output) is list else []
        return [r for index, item in enumerate(items) for r in _of_item(item, index, ("response", "output", index))]
    if "item" in body:
        return _of_item(body["item"], _place(body, "output_index"), ("item",))
    if type(body.get("part")) is dict:
        return _of_part(body, cast("Body", body["part"]))
    if kind == "response.output_text.annotation.added":
        return _of_annotation(body.get("annotation"), body, _place(body, "annotation_index"), ("annotation",))
    name = kind.removeprefix("response.").removesuffix(".done")
    return [_Repeat((key,), _channel(name, body), body[key]) for key in _TEXTS if kind.endswith(".done") and _word(body.get(key))]


def _of_part(body: Body, part: Body) -> list[_Repeat]:
    kind = _word(part.get("type"))
    name = "reasoning_summary_text" if kind == "summary_text" else _PARTS.get(kind, kind)
    made = [_Repeat(("part", key), _channel(name, body), part[key]) for key in _TEXTS if _word(part.get(key))]
    notes = part.get("annotations")
    for number, note in enumerate(cast("list[Any]", notes) if type(notes) is list else []):
        made += _of_annotation(note, body, number, ("part", "annotations", number))
    return made


def _of_annotation(value: Any, body: Body, number: int, path: Path) -> list[_Repeat]:
    """Names, addresses and quotes of a source, on the channels that later events repeat them on."""
    found = Gatherer(every=True)
    found.strays(value, Role.ASSISTANT, ())
    if not found.pieces:
        return []
    index, within = _place(body, "output_index"), ("content", _place(body, "content_index"), "annotations", number)
    return [
        _Repeat((*path, *piece.path), _item_channel("message", index, (*within, *piece.path)), piece.text) for piece in found.pieces
    ]


def _of_item(item: Any, index: int, path: Path) -> list[_Repeat]:
    found = Gatherer(every=True)
    try:
        gather_item(found, item, (), Role.ASSISTANT)
    except BadRequest as error:
        raise BadUpstream(f"an item of the stream cannot be read: {error}") from error
    kind = _word(cast("Body", item).get("type"), "message") if type(item) is dict else ""
    made: list[_Repeat] = []
    for piece in found.pieces:
        call = piece.call
        channel = _item_channel(kind, index, piece.path)
        tool, tool_id = (call.name or "unnamed", call.id) if call else ("", "")
        made.append(_Repeat((*path, *piece.path), channel, piece.text, tool, tool_id))
    return made


def _item_channel(kind: str, index: int, path: Path) -> str:
    match path:
        case ("content", int(part), "text" | "refusal" as key):
            name = "reasoning_text" if kind == "reasoning" else _PARTS[key]
            return f"0/{name}/{index}/{part}"
        case ("summary", int(part), "text"):
            return f"0/reasoning_summary_text/{index}/{part}"
        case ("code",):
            return f"0/code_interpreter_call_code/{index}"
        case (str(key),) if key == CALL_TEXT.get(kind):
            return f"0/tool/{index}"
        case _:
            return f"0/whole/{index}/" + ".".join(str(step) for step in path)


def _channel(name: str, body: Body) -> str:
    if name in _CALL_KINDS:
        return f"0/tool/{_place(body, 'output_index')}"
    places = [str(_place(body, key)) for key in _PLACES if key in body]
    return "/".join(("0", name, *places))


def _place(body: Body, key: str) -> int:
    place = body.get(key)
    if type(place) is not int or not 0 <= place < 1 << 20:
        raise BadUpstream(f"an event of the stream has no {key}")
    return place


def _called(body: Body) -> bool:
    item = body.get("item")
    return type(item) is dict and cast("Body", item).get("type") in _CALLS


def _word(value: Any, default: str = "") -> str:
    return value if isinstance(value, str) and value else default


def _kind(body: Body) -> str:
    kind = body.get("type")
    if type(kind) is not str or kind == "error":
        raise BadUpstream("the upstream broke its stream off with an error, or sends events of no type")
    return kind


def _event(body: Body) -> bytes:
    name = cast("str", body["type"])
    return event_bytes(encode(body), name if name.replace(".", "_").isidentifier() and name.isascii() else "unknown")
