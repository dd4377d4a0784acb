"""Estimates of tokens, against counts by the real tokenizers (the mean of five, taken once)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.assets.chat import Role, ToolSpec
from hauberk.guard.exchange import Exchange, Image, Operation, Piece
from hauberk.guard.limits.estimate import PER_IMAGE, choices, estimate_tokens, prompt_tokens


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("The harbour master signed the papers before the tide turned, and nobody asked about the missing crates." * 5, 94),
        ("港口的管理员在涨潮之前签了文件，没有人问起那些不见的箱子。" * 5, 119),
        ('{"name": "crate", "count": 12, "open": false, "tags": ["a", "b"]}\n' * 5, 134),
        ("def turn(tide: int) -> bool:\n    return tide % 2 == 0 and tide > 10\n" * 5, 124),
    ],
)
def test_estimates_are_near(text: str, counted: int) -> None:
    assert 0.6 * counted <= estimate_tokens(text) <= 1.65 * counted


@given(st.text(max_size=2_000), st.text(max_size=2_000))
def test_more_text_is_never_fewer_tokens(one: str, two: str) -> None:
    assert (
        max(estimate_tokens(one), estimate_tokens(two))
        <= estimate_tokens(one + two)
        <= estimate_tokens(one) + estimate_tokens(two) + 1
    )


def test_long_texts_are_counted_whole() -> None:
    assert abs(estimate_tokens("word " * 1_000_000) - 1_000 * estimate_tokens("word " * 1_000)) <= 1_000


def test_tools_and_images_count() -> None:
    bare = Exchange(Operation.CHAT, "m", {}, (Piece("hi", Role.USER, ()),))
    full = Exchange(
        Operation.CHAT, "m", {}, bare.pieces, (Image("data:", ()),), (ToolSpec("search", "looks " * 100, {"type": "object"}),)
    )
    assert prompt_tokens(full) >= prompt_tokens(bare) + PER_IMAGE + 80


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3), lambda x: st.lists(x, max_size=4)))
def test_any_body_is_counted_without_a_traceback(value: object) -> None:
    exchange = Exchange(Operation.COMPLETION, "m", {"prompt": value, "n": value})
    assert prompt_tokens(exchange) >= 0
    assert 1 <= choices(exchange) <= 128


def test_token_ids_count_as_they_are() -> None:
    assert prompt_tokens(Exchange(Operation.EMBEDDING, "m", {"input": [[1, 2], [3]]})) == 3
    assert prompt_tokens(Exchange(Operation.COMPLETION, "m", {"prompt": list(range(50))})) == 50
