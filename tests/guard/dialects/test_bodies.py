import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.guard.dialects.bodies import Malformed, decode, decode_mended, deeper_than, encode
from hauberk.guard.dialects.edits import apply
from hauberk.guard.exchange import Edit

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON))
def test_what_is_decoded_is_encoded_the_same(body: dict[str, object]) -> None:
    assert json.loads(encode(decode(json.dumps(body).encode()))) == body


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_malformed(data: bytes) -> None:
    with suppress(Malformed):
        assert isinstance(decode(data), dict)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "ends too early"),
        (b"{", "ends too early"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"a": NaN}', "invalid"),
        (b'{"a": Infinity}', "invalid"),
        (b'{"a": -Infinity}', "invalid"),
        (b'{"a": 1e999}', "out of range"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "UTF-8"),
        (rb'{"a": "\ud800"}', "surrogate"),
        (b'{"a": "\x00"}', "invalid"),
        (b"\xef\xbb\xbf{}", "invalid"),
        (b"{} {}", "trailing"),
        (b"{'a': 1}", "invalid"),
        (b'{"a": ' + b"1" * 5000 + b"}", "out of range"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "64 deep"),
        (b'{"a":' + b"[" * 100_000, "64 deep"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "64 deep"),
    ],
)
def test_what_is_no_bounded_object_is_refused_with_its_reason(data: bytes, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        decode(data)


def test_depth_up_to_the_limit_is_read() -> None:
    assert decode(b'{"a":' * 64 + b"1" + b"}" * 64)
    assert not deeper_than([[1], [2], {"a": 3}], 2)
    assert deeper_than([[1], [2], {"a": [3]}], 2)


def test_size_is_bounded() -> None:
    with pytest.raises(Malformed, match="over the limit of 10"):
        decode(b'{"a": "0123456789"}', most_bytes=10)


def test_duplicate_keys_reach_nobody() -> None:
    body = decode(b'{"role": "user", "content": "harmless", "content": "harmful"}')
    assert encode(body) == b'{"role":"user","content":"harmful"}', "the text that is judged is the only one that is sent on"


def test_huge_integers_survive() -> None:
    assert encode(decode(b'{"seed":123456789012345678901234567890}')) == b'{"seed":123456789012345678901234567890}'


def test_edits_by_path() -> None:
    body = {"messages": [{"content": [{"text": "a"}, {"text": "b"}]}], "input": {"to": "x"}}
    apply(body, [Edit(("messages", 0, "content", 1, "text"), "c"), Edit(("input",), '{"to": "[mail]"}')])
    assert body == {"messages": [{"content": [{"text": "a"}, {"text": "c"}]}], "input": {"to": "[mail]"}}


@pytest.mark.parametrize("text", ["no JSON", "[1]", '"x"', "{" * 10_000])
def test_an_object_whose_edit_is_no_object_is_emptied(text: str) -> None:
    body: dict[str, object] = {"input": {"to": "x"}}
    apply(body, [Edit(("input",), text)])
    assert body == {"input": {}}


def test_an_edit_of_another_body_is_an_error() -> None:
    with pytest.raises(LookupError):
        apply({"a": []}, [Edit(("a", 3), "x")])


def test_an_edit_within_what_another_edit_empties_does_no_harm() -> None:
    body: dict[str, object] = {"properties": {"odd name": {"description": "a"}}}
    apply(body, [Edit(("properties",), "gone"), Edit(("properties", "odd name", "description"), "b")])
    assert body == {"properties": {}}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (rb'{"a": "\ud83d"}', "\ufffd"),
        (rb'{"a": "x\ude00y"}', "x\ufffdy"),
        (rb'{"a": "\ud83d\ud83d\ude00"}', "\ufffd\U0001f600"),
        (rb'{"a": "\\ud83d \uD83D"}', "\\ud83d \ufffd"),
    ],
)
def test_half_an_emoji_of_an_upstream_breaks_nothing(data: bytes, text: str) -> None:
    assert decode_mended(data) == {"a": text}
    with pytest.raises(Malformed):
        decode(data)


@given(st.text(alphabet="\\\\ud83dDE0", max_size=40))
def test_mending_never_fails_otherwise_than_decoding(text: str) -> None:
    with suppress(Malformed):
        decode_mended(b'{"a":"' + text.encode() + b'"}')
