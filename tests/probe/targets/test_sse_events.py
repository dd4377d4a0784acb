"""Server-sent events: any chunking gives the same events, and nothing grows without bound."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hauberk.probe.targets.sse import BadEvents, Event, EventReader

LINES = st.lists(
    st.sampled_from(
        [
            "data: a",
            "data:b",
            "data",
            "data:  c",
            ": comment",
            ":",
            "event: x",
            "event",
            "id: 7",
            "retry: 1",
            "junk",
            "",
            "data: 你",
        ]
    ),
    max_size=24,
)
ENDS = st.lists(st.sampled_from(["\n", "\r", "\r\n"]), min_size=24, max_size=24)


def plainly(lines: list[str]) -> list[Event]:
    """The standard's steps, over lines that are cut already."""
    events: list[Event] = []
    name, data = "", list[str]()
    for line in [*lines, ""]:
        if not line:
            if data:
                events.append(Event(name, "\n".join(data).encode()))
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
    return events


def fed(data: bytes, cuts: list[int], most: int = 1 << 20) -> list[Event]:
    reader = EventReader(most)
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    found = [event for start, end in pairwise(places) for event in reader.feed(data[start:end])]
    return found + reader.close()


@given(LINES, ENDS, st.lists(st.integers(0, 300), max_size=40), st.sampled_from([b"", b"\xef\xbb\xbf"]))
@example(["data: a", "", "data: b"], ["\r\n"] * 24, list(range(40)), b"\xef\xbb\xbf")
def test_any_chunking_gives_the_events_of_the_standard(lines: list[str], ends: list[str], cuts: list[int], bom: bytes) -> None:
    # An empty line after a bare CR would make a CRLF of two line ends; the standard reads them as one.
    text = ""
    for line, end in zip(lines, ends, strict=False):
        text += line + ("\r\n" if end == "\n" and not line and text.endswith("\r") else end)
    assert fed(bom + text.encode(), cuts) == plainly(lines)


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=20))
def test_any_bytes_give_the_same_events_however_they_are_cut(data: bytes, cuts: list[int]) -> None:
    assert fed(data, cuts) == fed(data, [])
    assert fed(data, cuts) == fed(data, list(range(len(data))))


@pytest.mark.parametrize("piece", [b"x" * 100, b"data: " + b"x" * 100, b"data: x\n", b"data:\n"])
def test_an_endless_event_is_refused(piece: bytes) -> None:
    with pytest.raises(BadEvents, match="over 1000 bytes"):
        fed(piece * 2000, list(range(0, 2000 * len(piece), len(piece))), most=1000)


def test_comments_and_ended_events_cost_no_room() -> None:
    reader = EventReader(100)
    for _ in range(1000):
        assert reader.feed(b": keep alive\n\ndata: x\n\n") == [Event("", b"x")]


def test_a_long_line_in_small_pieces_is_joined_once() -> None:
    reader = EventReader(1 << 20)
    reader.feed(b"data: ")
    for _ in range(60_000):
        assert not reader.feed(b"x")
    assert reader.feed(b"\n\n") == [Event("", b"x" * 60_000)]
