from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.guard.dialects.dialect import BadUpstream
from hauberk.guard.dialects.sse import Event, EventReader, event_bytes


def read(*chunks: bytes, limit: int = 1 << 20) -> list[Event]:
    reader = EventReader(limit)
    return [event for chunk in chunks for event in reader.feed(chunk)] + list(reader.close())


LINES = st.lists(
    st.sampled_from(
        [
            b"data: a",
            b"data:b",
            b"data",
            b"data: ",
            b": note",
            b":",
            b"event: x",
            b"id: 7",
            b"retry: 5",
            b"",
            b"",
            b"odd",
            b"\xef\xbb\xbf",
        ]
    ),
    max_size=30,
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


@given(LINES, st.data())
def test_events_do_not_depend_on_where_chunks_break(lines: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(line + data.draw(ENDS) for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    places = [0, *cuts, len(stream)]
    assert read(*[stream[a:b] for a, b in pairwise(places)]) == read(stream)


@given(LINES, ENDS)
def test_events_do_not_depend_on_the_kind_of_line_end(lines: list[bytes], end: bytes) -> None:
    assert read(b"".join(line + end for line in lines)) == read(b"".join(line + b"\n" for line in lines))


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=10))
def test_any_bytes_are_read_alike_in_any_chunks(stream: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    assert read(*[stream[a:b] for a, b in pairwise(places)]) == read(stream)


def test_the_forms_of_the_standard() -> None:
    assert read(b"data: one\n\n") == [Event("", b"one")]
    assert read(b"data:one\n\n") == [Event("", b"one")], "the space is optional"
    assert read(b"data: one\ndata: two\n\n") == [Event("", b"one\ntwo")], "lines are joined"
    assert read(b"event: ping\nid: 3\nretry: 10\ndata: {}\n\n") == [Event("ping", b"{}")]
    assert read(b"\xef\xbb\xbfdata: one\r\n\r\n") == [Event("", b"one")]
    assert read(b"event: lonely\n\n") == [], "an event without data is none"
    assert read(b": keep\n\n") == [Event("", b"")], "a comment that stands alone"
    assert read(b": note\ndata: one\n\n") == [Event("", b"one")]
    assert read(b"\n\n\n\n") == []


def test_a_last_event_without_its_blank_line_is_given_at_the_end() -> None:
    assert read(b"data: [DONE]") == [Event("", b"[DONE]")]


def test_an_event_over_the_limit_is_refused_as_it_grows() -> None:
    reader = EventReader(100)
    list(reader.feed(b"data: " + b"x" * 90))
    with pytest.raises(BadUpstream, match="100 bytes"):
        list(reader.feed(b"x" * 10))
    with pytest.raises(BadUpstream):
        read(b"data: " + b"x" * 200 + b"\n\n", limit=100)


def test_a_flood_of_small_events_is_within_the_limit() -> None:
    assert len(read(b"data: x\n\n" * 1000, limit=100)) == 1000


def test_one_byte_at_a_time_takes_linear_time() -> None:
    reader = EventReader()
    for _ in range(200_000):
        assert not list(reader.feed(b"x"))
    assert reader._searched == 200_000 - 1


def test_events_as_written_are_read_back() -> None:
    assert read(event_bytes(b'{"a":1}', "x")) == [Event("x", b'{"a":1}')]
    assert read(event_bytes(b'{"a":1}')) == [Event("", b'{"a":1}')]
