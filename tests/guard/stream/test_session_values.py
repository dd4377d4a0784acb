"""Values in a guarded stream: the redactor is asked only now and then, and still nothing slips across a border."""

import asyncio
from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.core import Kind
from hauberk.detect import Bench
from hauberk.detect.personal.span import Span
from hauberk.guard.gateway.hooks import Decision
from hauberk.guard.redact import PRIVATE_RISKS, Find, Masker, finder, masked
from hauberk.guard.stream.redactor import StreamRedactor
from hauberk.guard.stream.session import Limits, StreamSession
from hauberk.guard.stream.tokens import TWELFTHS, weight
from hauberk.rules import load_pack

RULES = tuple(rule for rule in load_pack().rules if rule.risk in PRIVATE_RISKS and Kind.MESSAGE in rule.reads)
SAMPLES = sorted({sample.text for rule in RULES for sample in rule.samples if len(sample.text) <= 600})
VALUES = (
    "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",
    "postgresql://app:B9t2039bicBTW5ZE@db.internal.corp:5432/app",
    "ghp_Zx8CvBnM1qWe3RtY5uIo7PaSd9FgHj2KlQ4w",
    "110105 19491231 002X",
    "6222 0212 3456 7890 128",
    "zhang.san@qq.com",
    "浙江省杭州市西湖区文三路478号3楼302室",
    "-----BEGIN PRIVATE KEY-----\n"
    + "TNG4LNhgilejw02OefVRF3rXvFFCZjc9KkJJXqq4I0JjHTLP8nfSkVeRvzNt6SLj\n" * 3
    + "-----END PRIVATE KEY-----\n",
)
PROSE = "The allotment society met on a wet Tuesday evening, with few members present, and spoke about the bean trial at length. "


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Judge:
    """Lets everything pass, and keeps what it was shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def __call__(self, _channel: str, text: str, **_about: object) -> Decision:
        self.shown.append(text)
        return Decision()


@pytest.fixture(scope="module")
def find() -> Find:
    return finder(Bench(RULES))


def play(
    find: Find, chunks: Iterable[str], *, judge: Judge | None = None, limits: Limits | None = None, steps: Iterable[float] = ()
) -> str:
    """What comes out when `chunks` arrive, `steps` seconds apart."""
    clock = Clock()
    session = StreamSession(judge or Judge(), redactor=lambda _: StreamRedactor(find), limits=limits, clock=clock)
    waits = iter(steps)

    async def run() -> str:
        out: list[str] = []
        for chunk in chunks:
            out += (text for _, text in (await session.push("0", chunk)).texts)
            clock.now += next(waits, 0.0)
            if session.due() == 0:
                out += (text for _, text in (await session.tick()).texts)
        out += (text for _, text in (await session.end("0")).texts)
        return "".join(out)

    return asyncio.run(run())


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_wherever_the_border_of_a_look_falls_the_value_is_whole(find: Find, value: str) -> None:
    for before in range(0, 72, 3):  # a look every 16 tokens, or 64 characters: the border falls at each place of the value
        text = PROSE[:before] + " " + value + ", and so on. " + PROSE
        want = masked(text, find(text), Masker())
        assert value not in want
        judge = Judge()
        assert play(find, (text[at : at + 3] for at in range(0, len(text), 3)), judge=judge) == want
        assert not any(value in shown for shown in judge.shown)


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_every_split_in_two_gives_the_whole_texts_redaction(find: Find, value: str) -> None:
    text = f"Here it is: {value} as you asked."
    want = masked(text, find(text), Masker())
    for cut in range(1, len(text)):
        assert play(find, (text[:cut], text[cut:]), steps=(0.2, 0.2)) == want


def test_every_split_of_every_sample_of_the_rules_gives_the_whole_texts_redaction(find: Find) -> None:
    fired = 0
    for text in SAMPLES:
        want = masked(text, find(text), Masker())
        fired += want != text
        for cut in range(1, len(text)):
            assert play(find, (text[:cut], text[cut:]), steps=(0.2, 0.2)) == want
    assert fired > 80


@given(
    st.lists(st.sampled_from(VALUES) | st.sampled_from((" ", ", ", "。", "\n", "word ", "42 ", "请问", PROSE)), max_size=10).map(
        "".join
    ),
    st.lists(st.integers(0, 4000), max_size=60),
    st.lists(st.sampled_from((0.0, 0.03, 0.11, 0.3)), max_size=60),
)
@settings(max_examples=120, deadline=None)
def test_any_chunks_at_any_pace_give_the_whole_texts_redaction(
    find: Find, text: str, places: list[int], steps: list[float]
) -> None:
    bounds = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    assert play(find, [text[a:b] for a, b in pairwise(bounds)], steps=steps) == masked(text, find(text), Masker())


def counted(find: Callable[[str], list[Span]]) -> tuple[Find, list[str]]:
    asked: list[str] = []

    def counting(text: str) -> list[Span]:
        asked.append(text)
        return find(text)

    return counting, asked


def test_the_rules_run_once_a_stride_and_over_little_text() -> None:
    find, asked = counted(lambda _: [])
    text = PROSE * 40
    words = [f"{word} " for word in text.split(" ")[:-1]]
    assert play(find, words) == "".join(words)
    assert len(asked) <= weight(text) / (16 * TWELFTHS) + 2
    assert max(map(len, asked)) <= 256 + 256 + 64


def test_a_slow_stream_is_looked_through_when_it_is_due_and_not_before() -> None:
    find, asked = counted(lambda _: [])
    words = [f"{word} " for word in PROSE.split(" ")]
    play(find, words, steps=[0.02] * len(words))
    assert len(asked) <= len(words) * 0.02 / 0.1 + 2


@given(st.lists(st.sampled_from(("a ", "word ", "请问", "。", "longer-words-too ")), max_size=80))
def test_what_waits_for_the_redactor_counts_as_held(chunks: list[str]) -> None:
    session = StreamSession(Judge(), redactor=lambda _: StreamRedactor(lambda _: []), clock=Clock())

    async def run() -> None:
        came = gone = ""
        for chunk in chunks:
            came += chunk
            gone += "".join(text for _, text in (await session.push("0", chunk)).texts)
            assert gone == came[: len(gone)]
            assert weight(came[len(gone) :]) <= (64 + 24) * TWELFTHS  # and the redactor's own unfinished clause

    asyncio.run(run())
