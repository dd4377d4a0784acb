"""The stream of a chat completion: `chat.completion.chunk` events."""

from collections.abc import Iterator
from typing import Any, cast

from hauberk.assets.chat import Role
from hauberk.guard.dialects.bodies import Body, compact
from hauberk.guard.dialects.choice_stream import ChoiceStream, Opening, Said
from hauberk.guard.dialects.dialect import BadUpstream
from hauberk.guard.dialects.gather import Gatherer

_MOST_CALLS = 1024
# Not text: who speaks, and a list of calls, which is read by itself. Everything else that is a string is text.
_NO_TEXT = frozenset(("role", "tool_calls", "function_call", "audio"))
_DROPPED = frozenset(("message", "text"))  # would repeat, unseen, what the deltas say


class ChatStream(ChoiceStream):
    """Channels: `0` the text, `0/tool/1` a call's arguments, `0/reasoning_content` and others by the delta's key."""

    def __init__(self, *, asked_usage: bool, model: str) -> None:
        super().__init__(asked_usage=asked_usage, model=model)
        self._named: dict[str, None] = {}  # tools' channels whose opening was seen
        self._custom: dict[str, None] = {}  # those of custom tools, whose input is no JSON
        self._roles: dict[int, None] = {}  # choices that said who speaks

    def split(self, choice: Body, index: int) -> Said:
        """What `choice` says; an event of one text keeps its logprobs."""
        for key in _DROPPED & choice.keys():
            del choice[key]
        delta = choice.get("delta")
        if delta is None:
            delta = choice["delta"] = cast("Body", {})
        if type(delta) is not dict:
            raise BadUpstream("a choice of the stream has no delta")
        delta = cast("Body", delta)
        finish = choice.get("finish_reason")
        said = Said([], [], {}, finish if isinstance(finish, str) else "")
        self._take_texts(said, delta, index)
        self._take_calls(said, delta, index)
        self._keep_rest(said, choice, delta, index)
        return said

    def only_text(self, choice: Body) -> str:
        """The text of a delta that is nothing but content."""
        delta = choice.get("delta")
        if type(delta) is not dict or len(cast("Body", delta)) != 1 or choice.get("finish_reason") is not None:
            return ""
        text = cast("Body", delta).get("content")
        return text if type(text) is str and not _DROPPED & choice.keys() else ""

    def choice_of(self, channel: str, text: str) -> Body:
        """A choice that carries `text` on `channel`."""
        head, _, kind = channel.partition("/")
        if kind == "tool/function":
            delta: Body = {"function_call": {"arguments": text}}
        elif channel in self._custom:
            delta = {"tool_calls": [{"index": int(kind[5:]), "custom": {"input": text}}]}
        elif kind.startswith("tool/"):
            delta = {"tool_calls": [{"index": int(kind[5:]), "function": {"arguments": text}}]}
        elif kind == "audio":
            delta = {"audio": {"transcript": text}}
        else:
            delta = {kind or "content": text}
        return {"index": int(head), "delta": delta, "finish_reason": None}

    def last_choice(self, index: int, finish: str) -> Body:
        """A choice that says why it ended."""
        return {"index": index, "delta": {}, "finish_reason": finish}

    def _take_texts(self, said: Said, delta: Body, index: int) -> None:
        for key, value in delta.items():
            if not value or key in _NO_TEXT or not key or "/" in key:
                continue  # a key that is no channel's name; `_unjudged` takes it out
            if type(value) is str:
                said.texts.append((str(index) if key == "content" else f"{index}/{key}", value))
            elif key == "content":
                said.texts.append((str(index), "".join(_every_text(value))))
        audio = delta.get("audio")
        if type(audio) is dict and isinstance(cast("Body", audio).get("transcript"), str):
            said.texts.append((f"{index}/audio", cast("Body", audio).pop("transcript")))

    def _take_calls(self, said: Said, delta: Body, index: int) -> None:
        for number, call in _calls(delta):
            channel = f"{index}/tool/{number}"
            function = _part(call, "function") if number != "function" else call
            custom = _part(call, "custom") if number != "function" else {}
            if channel not in self._named and (function.get("name") or custom.get("name") or call.get("id")):
                self._named[channel] = None
                if custom:
                    self._custom[channel] = None
                said.openings.append(_opening(channel, index, number, call, custom or function))
            for text in (function.get("arguments"), custom.get("input")):
                if text:
                    said.texts.append((channel, text if isinstance(text, str) else compact(text)))

    def _keep_rest(self, said: Said, choice: Body, delta: Body, index: int) -> None:
        if "role" in delta and index not in self._roles:
            self._roles[index] = None
        elif "role" in delta:
            del delta["role"]
        for key in [key for key, value in delta.items() if _unjudged(key, value)]:
            del delta[key]
        rest = {key: value for key, value in delta.items() if _no_text(key, value)}
        spoken = said.texts or said.openings
        if rest or not spoken:
            said.rest = {**choice, "delta": rest}
            if spoken:
                said.rest.pop("logprobs", None)


def _no_text(key: str, value: Any) -> bool:
    if key in {"tool_calls", "function_call"}:
        return False
    return key == "role" or not value or (type(value) is not str and key != "content")


def _unjudged(key: str, value: Any) -> bool:
    """Whether a delta's member holds texts that have no channel: those cannot be judged bit by bit, and are left out."""
    if not value or key in {"role", "content", "tool_calls", "function_call"}:
        return False
    if type(value) is str:
        return not key or "/" in key
    found = Gatherer()
    found.strays(value, Role.ASSISTANT, (), frozenset(("data",)))
    return bool(found.pieces)


def _calls(delta: Body) -> Iterator[tuple[str, Body]]:
    calls = delta.get("tool_calls")
    if calls is not None and type(calls) is not list:
        raise BadUpstream("tool_calls of the stream is no list")
    for place, call in enumerate(cast("list[Any]", calls or [])):
        index = cast("Body", call).get("index", place) if type(call) is dict else None
        if type(index) is not int or not 0 <= index < _MOST_CALLS:
            raise BadUpstream("a tool's call of the stream has no index")
        yield str(index), call
    old = delta.get("function_call")
    if type(old) is dict:
        yield "function", cast("Body", old)


def _part(call: Body, key: str) -> Body:
    part = call.get(key)
    return cast("Body", part) if type(part) is dict else {}


def _opening(channel: str, index: int, number: str, call: Body, made: Body) -> Opening:
    """`made`: the call's function or custom tool, which is all that is opened of the two."""
    name, call_id = made.get("name"), call.get("id")
    if number == "function":
        delta: Body = {"function_call": {**made, "arguments": ""}}
    else:
        rest = {key: value for key, value in call.items() if key not in {"function", "custom"}}
        part = {"custom": {**made, "input": ""}} if made is call.get("custom") else {"function": {**made, "arguments": ""}}
        delta = {"tool_calls": [{**rest, "index": int(number), **part}]}
    return Opening(
        channel=channel,
        tool=name if isinstance(name, str) and name else "unnamed",
        tool_id=call_id if isinstance(call_id, str) else "",
        choice={"index": index, "delta": delta, "finish_reason": None},
    )


def _every_text(value: Any) -> Iterator[str]:
    if type(value) is dict:
        for key, member in cast("Body", value).items():
            if key != "type":
                yield from _every_text(member)
    elif type(value) is list:
        for member in cast("list[Any]", value):
            yield from _every_text(member)
    elif type(value) is str:
        yield value
