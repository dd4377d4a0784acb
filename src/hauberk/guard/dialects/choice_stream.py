"""Streams of choices: what chat completions and completions have in common.

Each event of the upstream is decoded and encoded anew. One that says several things at once (a text and why it ended, two
choices) becomes several, so that each text can be held back by itself.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import msgspec

from hauberk.guard.dialects.bodies import Body, encode
from hauberk.guard.dialects.dialect import BadUpstream, Delta, Refusal
from hauberk.guard.dialects.event_stream import DONE, MOST_CHANNELS, JsonStream
from hauberk.guard.dialects.fields import openai_usage
from hauberk.guard.dialects.openai_errors import error_body
from hauberk.guard.dialects.sse import event_bytes
from hauberk.guard.exchange import Usage

MOST_CHOICES = 128  # what OpenAI allows
_HEAD = frozenset(("id", "object", "created", "model", "system_fingerprint", "service_tier"))


class Opening(msgspec.Struct):
    """The start of a tool's call, as a choice that carries nothing else."""

    channel: str
    tool: str
    tool_id: str
    choice: Body


class Said(msgspec.Struct):
    """What one choice of an event says: openings, texts by channel, and the rest, which is no text."""

    openings: list[Opening]
    texts: list[tuple[str, str]]
    rest: Body  # the choice without its texts; empty when nothing is left of it
    finish: str = ""


class ChoiceStream(JsonStream):
    """Reads one stream. What a choice looks like is the API's own."""

    def __init__(self, *, asked_usage: bool, model: str) -> None:
        super().__init__(model=model)
        self._asked_usage = asked_usage
        self._head: Body = {}
        self._open: dict[str, None] = {}  # channels with text, in the order in which they came
        self._finished: dict[str, None] = {}  # as a set, at a third of the memory while it is empty

    @abstractmethod
    def split(self, choice: Body, index: int) -> Said:
        """What `choice` says."""

    @abstractmethod
    def only_text(self, choice: Body) -> str:
        """The text of a choice that has one of channel `0` and says nothing else; "" for any other."""

    @abstractmethod
    def choice_of(self, channel: str, text: str) -> Body:
        """A choice that carries `text` on `channel` and nothing else."""

    @abstractmethod
    def last_choice(self, index: int, finish: str) -> Body:
        """A choice that says why it ended and nothing else."""

    def made(self, channel: str, text: str) -> bytes:
        """A new event that carries `text` on `channel`."""
        return self._event(self.choice_of(channel, text))

    def restated(self, delta: Delta, sent: Mapping[str, str]) -> bytes:
        """`delta` itself: no event of this API repeats a text."""
        del sent
        return delta.raw

    def ended(self, channel: str, finish: str) -> bytes:
        """A new event that ends `channel`'s choice."""
        return self._event(self.last_choice(int(channel.partition("/")[0]), finish))

    def error(self, refusal: Refusal) -> bytes:
        """An event that OpenAI's SDKs raise as an APIError, and the terminator."""
        return event_bytes(error_body(refusal)) + DONE

    def _terminated(self) -> Iterable[Delta]:
        self._done = True
        ends = tuple(self._open)
        self._open.clear()
        return (Delta(DONE, done=True, ends=ends),)

    def _unfinished(self) -> Iterable[Delta]:
        if self._open or not self._finished:
            raise BadUpstream("the stream ended before the answer did")
        return self._terminated()

    def _grown(self, body: Body) -> Delta | None:
        if body.get("usage") is not None:
            return None
        choices = cast("list[Any]", body.get("choices"))
        if type(choices) is not list or len(choices) != 1 or type(choices[0]) is not dict:
            return None
        choice = cast("Body", choices[0])
        channel, text = str(choice.get("index")), self.only_text(choice)
        if not text or channel not in self._open:
            return None
        self._own(body)
        return Delta(b"data: %b\n\n" % encode(body), channel, text)

    def _own(self, body: Body) -> None:
        """Names the model as the client knows it, and leaves out what the client did not ask for."""
        if self._model and "model" in body:
            body["model"] = self._model
        if not self._asked_usage:
            body.pop("usage", None)

    def _said(self, body: Body) -> Iterator[Delta]:
        usage = openai_usage(body.get("usage"))
        self._own(body)
        choices = body.get("choices")
        if type(choices) is not list:
            raise BadUpstream("an event of the stream has no choices")
        if not self._head:
            self._head = {key: value for key, value in body.items() if key in _HEAD}
        if not choices:
            silent = usage is not None and not self._asked_usage
            yield Delta(b"" if silent else event_bytes(encode(body)), usage=usage)
            return
        yield from self._choices(cast("list[Any]", choices), body, usage)

    def _choices(self, choices: list[Any], body: Body, usage: Usage | None) -> Iterator[Delta]:
        alone = len(choices) == 1
        if usage is not None and "usage" in body and not alone:
            yield Delta(event_bytes(encode({**body, "choices": []})), usage=usage)
            usage = None
        for choice in choices:
            index = _index(choice)
            said = self.split(choice, index)
            self._note(said, str(index))
            if alone and usage is None and not (said.openings or said.finish) and len(said.texts) + bool(said.rest) == 1:
                whole = event_bytes(encode({**body, "choices": [said.rest or choice]}))
                channel, text = said.texts[0] if said.texts else ("", "")
                yield Delta(whole, channel, text)
                return
            yield from self._divided(said, index, body if alone else self._head, usage)
            usage = None

    def _divided(self, said: Said, index: int, body: Body, usage: Usage | None) -> Iterator[Delta]:
        plain = not said.openings and not said.texts
        if said.rest and not (plain and said.finish):
            yield Delta(self._event({**said.rest, "finish_reason": None}))
        for opening in said.openings:
            yield Delta(self._event(opening.choice), opening.channel, tool=opening.tool, tool_id=opening.tool_id)
        for channel, text in said.texts:
            yield Delta(self.made(channel, text), channel, text)
        if said.finish:
            prefix = f"{index}/"
            ends = tuple(c for c in self._open if c == str(index) or c.startswith(prefix))
            for channel in ends:
                del self._open[channel]
            last = said.rest if plain and said.rest else self.last_choice(index, said.finish)
            yield Delta(self._event(last, body), str(index), finish=said.finish, ends=ends, usage=usage)
        elif usage is not None:
            yield Delta(event_bytes(encode({**body, "choices": []})) if "usage" in body else b"", usage=usage)

    def _event(self, choice: Body, body: Body | None = None) -> bytes:
        return event_bytes(encode({**(self._head if body is None else body), "choices": [choice]}))

    def _note(self, said: Said, choice: str) -> None:
        if choice in self._finished and (said.texts or said.openings):
            raise BadUpstream("the stream goes on after a choice has ended")
        if said.finish:
            self._finished[choice] = None
        for opening in said.openings:
            self._open[opening.channel] = None
        for channel, _ in said.texts:
            self._open[channel] = None
        if len(self._open) > MOST_CHANNELS:
            raise BadUpstream(f"the stream has over {MOST_CHANNELS} parts at once")


def _index(choice: Any) -> int:
    index = cast("Body", choice).get("index", 0) if type(choice) is dict else None
    if type(index) is not int or not 0 <= index < MOST_CHOICES:
        raise BadUpstream("a choice of the stream has no index")
    return index
