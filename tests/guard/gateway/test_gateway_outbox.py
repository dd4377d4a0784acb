"""Streams under guard, with every kind of hold-back: order is kept, nothing is lost, nothing unjudged goes out."""

import asyncio
import itertools
import json

import pytest
from gateway_harness import chunk
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.core import Action
from hauberk.guard.dialects.dialect import Refusal
from hauberk.guard.dialects.openai_chat import OpenAIChat
from hauberk.guard.exchange import Exchange, Operation
from hauberk.guard.gateway.hooks import Decision, Release
from hauberk.guard.gateway.stream_guard import Halted, StreamGuard

EXCHANGE = Exchange(operation=Operation.CHAT, model="m", body={}, stream=True)


class Holding:
    """Lets go as many characters as it is told at each step; masks a word; blocks on another."""

    def __init__(self, steps: list[int], mask: str = "", block: str = "") -> None:
        self.steps, self.mask, self.block = list(steps), mask, block
        self.held = ""

    def _release(self, count: int) -> Release:
        if self.block and self.block in self.held:
            return Release((), Decision(Action.BLOCK, refusal=Refusal(403, "content_blocked", "No.")))
        if self.mask:
            self.held = self.held.replace(self.mask, "***")
        out, self.held = self.held[:count], self.held[count:]
        return Release((("0", out),) if out else ())

    async def push(self, channel: str, text: str, tool: str = "") -> Release:
        del channel, tool
        self.held += text
        return self._release(self.steps.pop(0) if self.steps else 0)

    async def end(self, _channel: str) -> Release:
        return self._release(len(self.held))

    def due(self) -> float | None:
        return 0.0 if self.held else None

    async def tick(self) -> Release:
        return self._release(len(self.held))


def events(wire: bytes) -> list[dict]:
    return [json.loads(line[6:]) for line in wire.decode().split("\n") if line.startswith("data: {")]


def text_of(wire: bytes) -> str:
    return "".join(e["choices"][0]["delta"].get("content", "") for e in events(wire))


async def run(guard: StreamGuard, pieces: list[bytes], ticks: set[int]) -> bytes:
    wire = b""
    for number, piece in enumerate(pieces):
        wire += await guard.feed(piece)
        if number in ticks:
            wire += await guard.tick()
    return wire + await guard.close()


def cut(data: bytes, places: list[int]) -> list[bytes]:
    marks = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in itertools.pairwise(marks)]


WORDS = st.lists(st.text(alphabet="abc é中", min_size=1, max_size=8), min_size=1, max_size=12)


@settings(max_examples=300, deadline=None)
@given(WORDS, st.lists(st.integers(0, 20), max_size=12), st.lists(st.integers(0, 5000), max_size=6), st.sets(st.integers(0, 6)))
def test_any_hold_back_and_any_chunking_gives_the_same_text(
    words: list[str], steps: list[int], places: list[int], ticks: set[int]
) -> None:
    data = b"".join([*(chunk(word) for word in words), chunk(None, "stop"), b"data: [DONE]\n\n"])
    guard = StreamGuard(OpenAIChat().stream(EXCHANGE), Holding(steps))
    wire = asyncio.run(run(guard, cut(data, places), ticks))
    assert text_of(wire) == "".join(words) == guard.text
    assert events(wire)[-1]["choices"][0]["finish_reason"] == "stop", "the end comes after all text"
    assert wire.endswith(b"data: [DONE]\n\n")


@settings(max_examples=200, deadline=None)
@given(WORDS, st.integers(1, 11), st.sets(st.integers(0, 30)))
def test_what_is_masked_never_goes_out_wherever_it_is_cut(words: list[str], place: int, ticks: set[int]) -> None:
    secret = ["sk-", "12", "34"]
    texts = [*words[:place], *secret, *words[place:]]
    pieces = [*(chunk(word) for word in texts), chunk(None, "stop"), b"data: [DONE]\n\n"]
    guard = StreamGuard(OpenAIChat().stream(EXCHANGE), Holding([], mask="sk-1234"))
    wire = asyncio.run(run(guard, pieces, set()))
    assert text_of(wire) == "".join([*words[:place], "***", *words[place:]])
    assert b"sk-" not in wire


def test_unchanged_events_go_out_byte_for_byte() -> None:
    data = [chunk("a"), chunk("b"), chunk("c"), chunk(None, "stop"), b"data: [DONE]\n\n"]
    guard = StreamGuard(OpenAIChat().stream(EXCHANGE), Holding([0, 0, 3]))
    assert asyncio.run(run(guard, data, set())) == b"".join(data)


def test_a_block_lets_nothing_of_what_is_held_out() -> None:
    async def go() -> None:
        guard = StreamGuard(OpenAIChat().stream(EXCHANGE), Holding([4, 0, 0], block="bomb"))
        assert text_of(await guard.feed(chunk("good"))) == "good"
        assert not await guard.feed(chunk(" bo"))
        with pytest.raises(Halted) as halted:
            await guard.feed(chunk("mb"))
        assert not halted.value.wire
        assert halted.value.refusal.code == "content_blocked"

    asyncio.run(go())


class Raising(Holding):
    async def push(self, channel: str, text: str, tool: str = "") -> Release:
        if "bad" in text:
            raise RuntimeError("detector")
        return await super().push(channel, text, tool)


def test_a_detector_that_raises_breaks_off_when_closed() -> None:
    guard = StreamGuard(OpenAIChat().stream(EXCHANGE), Raising([9]), closed=True)
    with pytest.raises(Halted) as halted:
        asyncio.run(run(guard, [chunk("a"), chunk("bad"), chunk("c")], set()))
    assert not halted.value.wire
    assert halted.value.decision.gaps


def test_a_detector_that_raises_lets_pass_when_open_and_says_so() -> None:
    guard = StreamGuard(OpenAIChat().stream(EXCHANGE), Raising([0, 0]), closed=False)
    wire = asyncio.run(run(guard, [chunk("a"), chunk("bad"), chunk("c"), chunk(None, "stop"), b"data: [DONE]\n\n"], set()))
    assert text_of(wire) == "abadc"
    assert guard.decision is not None
    assert guard.decision.action is Action.FLAG
    assert guard.decision.gaps
