"""A gateway in a few lines: sends a stream on by the rules that `hauberk.guard.dialects.dialect` states."""

from collections.abc import Callable, Iterable

import pytest

from hauberk.guard.dialects.dialect import Delta, EventStream

Change = Callable[[str], str]


class Relay:
    """Holds each channel until it ends, changes its whole text, and writes what a client would receive."""

    def __init__(self) -> None:
        self.deltas: list[Delta] = []
        self.came: dict[str, str] = {}
        self.sent: dict[str, str] = {}
        self.tools: dict[str, str] = {}

    def __call__(self, stream: EventStream, chunks: Iterable[bytes], change: Change = lambda text: text) -> bytes:
        out = b""
        for chunk in chunks:
            for delta in stream.feed(chunk):
                out += self._one(stream, delta, change)
        for delta in stream.close():
            out += self._one(stream, delta, change)
        return out

    def _one(self, stream: EventStream, delta: Delta, change: Change) -> bytes:
        self.deltas.append(delta)
        out = b""
        if delta.tool:
            assert not delta.text
            self.tools[delta.channel] = delta.tool
            self.came.setdefault(delta.channel, "")
            out += delta.raw
        if delta.text:
            assert delta == Delta(delta.raw, delta.channel, delta.text), "a text comes alone"
            assert delta.channel not in self.sent, "text after the channel's end"
            self.came[delta.channel] = self.came.get(delta.channel, "") + delta.text
        for channel in delta.ends:
            if channel not in self.sent:
                self.sent[channel] = change(self.came[channel])
                out += stream.made(channel, self.sent[channel])
        if delta.repeats:
            out += stream.restated(delta, self.sent)
        elif not (delta.text or delta.tool):
            out += delta.raw
        return out


@pytest.fixture
def relay() -> Relay:
    return Relay()
