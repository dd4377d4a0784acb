import asyncio
import re
from collections.abc import Awaitable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.core import Action, Gap, GapReason
from hauberk.detect.personal.span import Span
from hauberk.guard.dialects.dialect import Refusal
from hauberk.guard.exchange import Edit
from hauberk.guard.gateway.hooks import Decision, Release
from hauberk.guard.stream.redactor import StreamRedactor
from hauberk.guard.stream.session import Limits, StreamSession
from hauberk.guard.stream.tokens import TWELFTHS, tail, weight

REFUSAL = Refusal(status=403, code="content_blocked", message="Stopped.")
MARK = "FORBIDDEN"


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Judge:
    """Refuses windows that hold the mark, and keeps what it was shown."""

    def __init__(self, mark: str = MARK) -> None:
        self.mark = mark
        self.shown: list[tuple[str, str, bool, str]] = []

    def __call__(self, channel: str, text: str, *, final: bool, tool: str) -> Decision | Awaitable[Decision]:
        self.shown.append((channel, text, final, tool))
        return Decision(Action.BLOCK, refusal=REFUSAL) if self.mark in text else Decision()


class Words:
    """Holds an unfinished word back, and takes the word SECRET out."""

    def __init__(self) -> None:
        self.rest = ""

    @property
    def held(self) -> int:
        return len(self.rest)

    def feed(self, text: str) -> str:
        head, space, self.rest = (self.rest + text).rpartition(" ")
        return (head + space).replace("SECRET", "[x]")

    def end(self) -> str:
        return self.rest.replace("SECRET", "[x]")


def play(session: StreamSession, chunks: list[str], channel: str = "0") -> tuple[str, Release | None]:
    async def run() -> tuple[str, Release | None]:
        out = ""
        for chunk in chunks:
            release = await session.push(channel, chunk)
            out += "".join(text for _, text in release.texts)
            if release.decision is not None:
                return out, release
        release = await session.end(channel)
        return out + "".join(text for _, text in release.texts), release if release.decision else None

    return asyncio.run(run())


TEXT = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="F"), max_size=60)


@given(st.lists(TEXT, max_size=40))
def test_what_is_clean_comes_out_whole_and_in_order(chunks: list[str]) -> None:
    out, stopped = play(StreamSession(Judge(), clock=Clock()), chunks)
    assert out == "".join(chunks)
    assert stopped is None


@given(st.lists(TEXT, max_size=40), st.floats(0, 0.3))
def test_what_is_clean_comes_out_whole_when_time_passes(chunks: list[str], step: float) -> None:
    clock = Clock()
    session = StreamSession(Judge(), clock=clock)

    async def run() -> str:
        out = ""
        for chunk in chunks:
            out += "".join(text for _, text in (await session.push("0", chunk)).texts)
            clock.now += step
            if session.due() == 0:
                out += "".join(text for _, text in (await session.tick()).texts)
            assert session.due() != 0, "what was due was decided"
        return out + "".join(text for _, text in (await session.end("0")).texts)

    assert asyncio.run(run()) == "".join(chunks)


@given(st.lists(TEXT, max_size=60))
def test_never_more_than_the_bound_is_held(chunks: list[str]) -> None:
    session = StreamSession(Judge(), clock=Clock())

    async def run() -> None:
        came = gone = ""
        for chunk in chunks:
            came += chunk
            gone += "".join(text for _, text in (await session.push("0", chunk)).texts)
            assert weight(came[len(gone) :]) <= 64 * TWELFTHS

    asyncio.run(run())
    assert session.most_held <= 64


@given(st.integers(0, 700), st.integers(1, 192), st.integers(1, 40))
def test_nothing_of_a_violation_within_the_bound_goes_out(before: int, length: int, chunk: int) -> None:
    mark = "#" + "x" * (length - 2) + "!" if length > 1 else "!"
    text = "." * before + mark + "." * 500
    out, stopped = play(StreamSession(Judge(mark), clock=Clock()), [text[i : i + chunk] for i in range(0, len(text), chunk)])
    assert stopped is not None
    assert stopped.texts == ()
    assert set(out) <= {"."}


def test_after_a_violation_nothing_more_goes_out() -> None:
    session = StreamSession(Judge(), clock=Clock())

    async def run() -> None:
        await session.push("1", "held on another channel")
        await session.push("0", MARK)
        stopped = await session.end("0")
        assert stopped.decision is not None
        assert stopped.decision.refusal is REFUSAL
        for release in (await session.push("0", "more"), await session.end("1"), await session.tick(), await session.end("0")):
            assert release.texts == ()
            assert release.decision is None
        assert session.due() is None

    asyncio.run(run())
    assert session.decision.action is Action.BLOCK


def test_a_channel_ends_once() -> None:
    async def run() -> None:
        session = StreamSession(Judge(), clock=Clock())
        await session.push("0", "abc")
        assert (await session.end("0")).texts == (("0", "abc"),)
        assert (await session.end("0")).texts == ()
        assert (await session.end("never")).texts == ()

    asyncio.run(run())


def test_text_after_the_end_is_judged_like_any_other() -> None:
    async def run() -> None:
        session = StreamSession(Judge(), clock=Clock())
        await session.push("0", "abc")
        await session.end("0")
        await session.push("0", MARK)
        assert (await session.end("0")).decision is not None

    asyncio.run(run())


def test_a_slow_stream_waits_no_longer_than_the_limit() -> None:
    clock = Clock()
    session = StreamSession(Judge(), clock=clock)

    async def run() -> None:
        assert session.due() is None
        await session.push("0", "one ")
        assert session.due() == pytest.approx(0.2)
        clock.now += 0.15
        await session.push("0", "two ")
        clock.now += 0.05
        assert (await session.tick()).texts == (("0", "one "),), "what came late keeps its context to come"
        assert session.due() == pytest.approx(0.15)

    asyncio.run(run())
    assert session.longest_hold == pytest.approx(0.2)


def test_a_push_that_finds_the_hold_due_decides_it_without_a_tick() -> None:
    clock = Clock()
    session = StreamSession(Judge(), clock=clock)

    async def run() -> None:
        await session.push("0", "one ")
        clock.now += 0.3
        assert (await session.push("0", "two")).texts == (("0", "one "),)

    asyncio.run(run())


def test_windows_cost_linear_time() -> None:
    judge = Judge()
    text = "word " * 20_000
    play(StreamSession(judge, clock=Clock()), [text[i : i + 4] for i in range(0, len(text), 4)])
    assert sum(len(shown) for _, shown, _, _ in judge.shown) < 16 * len(text)
    assert max(len(shown) for _, shown, _, _ in judge.shown) <= 512 + 256 + 4


def test_a_text_that_comes_in_one_piece_is_shown_in_windows() -> None:
    judge = Judge()
    out, _ = play(StreamSession(judge, clock=Clock()), ["a" * 100_000])
    assert len(out) == 100_000
    assert max(len(shown) for _, shown, _, _ in judge.shown) <= 512 + 256 + 2048


def test_a_violation_across_what_went_out_is_still_seen() -> None:
    long = "#" + "x" * 500 + "!"
    out, stopped = play(StreamSession(Judge(long), clock=Clock()), list(long + "." * 100))
    assert stopped is not None
    assert "!" not in out


def test_the_redactor_comes_before_the_judge() -> None:
    judge = Judge("SECRET")
    session = StreamSession(judge, redactor=lambda _: Words(), clock=Clock())
    out, stopped = play(session, list("the SECRET is out, SECRET"))
    assert out == "the [x] is out, [x]"
    assert stopped is None


@given(st.lists(st.sampled_from(["SECRET ", "SEC", "RET", " ", "word", "."]), max_size=80))
@settings(max_examples=50)
def test_redacted_text_does_not_depend_on_chunks(chunks: list[str]) -> None:
    text = "".join(chunks)
    split, _ = play(StreamSession(Judge(), redactor=lambda _: Words(), clock=Clock()), chunks)
    assert split == text.replace("SECRET", "[x]")


def test_a_tools_call_is_held_until_it_is_whole() -> None:
    judge, clock = Judge(), Clock()
    session = StreamSession(judge, clock=clock)

    async def run() -> None:
        await session.push("0/tool/0", "", "send_mail")
        for piece in ('{"to":', '"a@b.example"', "}" + " " * 5000):
            assert (await session.push("0/tool/0", piece)).texts == ()
            clock.now += 10
            assert session.due() is None
            assert (await session.tick()).texts == ()
        ((channel, text),) = (await session.end("0/tool/0")).texts
        assert (channel, text.strip()) == ("0/tool/0", '{"to":"a@b.example"}')

    asyncio.run(run())
    ((channel, shown, final, tool),) = judge.shown
    assert (channel, final, tool) == ("0/tool/0", True, "send_mail")
    assert shown.startswith('{"to":')


def test_a_call_without_arguments_is_judged_too() -> None:
    judge = Judge("")

    async def run() -> None:
        session = StreamSession(judge, clock=Clock())
        await session.push("0/tool/0", "", "wipe_disk")
        assert (await session.end("0/tool/0")).decision is not None

    asyncio.run(run())
    assert judge.shown[0][3] == "wipe_disk"


def test_arguments_may_be_replaced() -> None:
    async def run() -> None:
        session = StreamSession(lambda *_, **__: Decision(Action.REDACT, edits=(Edit((), '{"to":"[x]"}'),)), clock=Clock())
        await session.push("0/tool/0", '{"to":"a@b.example"}', "send_mail")
        assert (await session.end("0/tool/0")).texts == (("0/tool/0", '{"to":"[x]"}'),)

    asyncio.run(run())


def test_a_call_over_the_limit_is_refused_with_a_gap() -> None:
    async def run() -> None:
        session = StreamSession(Judge(), limits=Limits(call=100), clock=Clock())
        stopped = await session.push("0/tool/0", "x" * 101, "f")
        assert stopped.decision is not None
        assert stopped.decision.refusal is not None
        assert stopped.decision.gaps[0].reason is GapReason.TOO_LARGE

    asyncio.run(run())


def test_a_call_over_the_limit_goes_on_as_judged_text_when_the_policy_is_open() -> None:
    gap = Gap("message:", GapReason.TOO_LARGE, "long")

    async def run() -> None:
        session = StreamSession(
            Judge(), limits=Limits(call=100), clock=Clock(), too_large=lambda _: Decision(Action.FLAG, gaps=(gap,))
        )
        out = ""
        for _ in range(100):
            out += "".join(text for _, text in (await session.push("0/tool/0", "x" * 30)).texts)
        assert out
        assert (await session.push("0/tool/0", MARK)).texts == ()
        assert (await session.end("0/tool/0")).decision is not None
        assert session.decision.gaps == (gap,)

    asyncio.run(run())


def test_a_check_may_be_awaited() -> None:
    async def check(channel: str, text: str, *, final: bool, tool: str) -> Decision:
        await asyncio.sleep(0)
        return Decision(Action.BLOCK, refusal=REFUSAL)

    _, stopped = play(StreamSession(check, clock=Clock()), ["x"])
    assert stopped is not None


def test_flags_are_kept_for_the_record_once_each() -> None:
    gap = Gap("message:0", GapReason.UNDECIDED, "a detector timed out")
    session = StreamSession(lambda *_, **__: Decision(Action.FLAG, gaps=(gap,)), clock=Clock())
    out, stopped = play(session, ["word " * 10] * 50)
    assert len(out) == 2500
    assert stopped is None
    assert session.decision.action is Action.FLAG
    assert session.decision.gaps == (gap,)


@given(st.text(max_size=100), st.integers(0, 1000))
def test_the_tail_is_the_longest_that_fits(text: str, room: int) -> None:
    start = tail(text, room)
    assert weight(text[start:]) <= room
    assert start == 0 or weight(text[start - 1 :]) > room


def test_tokens_are_estimated_by_script() -> None:
    assert weight("word") == TWELFTHS
    assert weight("三个字") == 2 * TWELFTHS
    assert weight("да") == TWELFTHS


def test_what_the_redactor_held_is_due_when_it_lets_go() -> None:
    clock = Clock()
    session = StreamSession(Judge(), redactor=lambda _: Words(), clock=clock)

    async def run() -> None:
        await session.push("0", "lon")
        assert session.due() == pytest.approx(0.2), "nobody has looked yet whether it is half a value"
        clock.now += 0.2
        assert (await session.tick()).texts == ()
        assert session.due() is None, "nobody can let half a value go"
        clock.now += 0.1
        assert (await session.push("0", "g word")).texts == (("0", "lon"),)
        assert session.due() == pytest.approx(0.2), "what came just now has its own time"

    asyncio.run(run())
    assert session.longest_hold == pytest.approx(0.3)


@given(st.lists(st.sampled_from(["alice@", "example", ".org", " and ", "call 555", "。", "the "]), max_size=40))
@settings(max_examples=40)
def test_with_the_real_redactor_nothing_is_lost_and_no_value_goes_out(chunks: list[str]) -> None:
    def spans(text: str) -> list[Span]:
        return [Span("email", found.start(), found.end()) for found in re.finditer(r"alice@example\.org", text)]

    session = StreamSession(Judge(), redactor=lambda _: StreamRedactor(spans), clock=Clock())
    out, stopped = play(session, chunks)
    alone = StreamRedactor(spans)
    assert out == "".join(alone.feed(chunk) for chunk in chunks) + alone.end()
    assert stopped is None
    assert "alice@example.org" not in out
