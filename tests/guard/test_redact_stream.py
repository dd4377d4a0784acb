import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.core import Confidence
from hauberk.detect.personal import Span
from hauberk.guard.redact import Masker, masked
from hauberk.guard.stream.redactor import CONTEXT, HOLD, LONG_HOLD, StreamRedactor

NUMBER = re.compile(r"(?<![\d-])\d{3}[ -]\d{4}[ -]\d{4}(?![\d-]| \d)")
BODY = re.compile(r"PRIVATE KEY-----\s+([A-Za-z0-9+/=]{40,})")
BORN = r"(?i)(?:born on |birth: |日期：)((?:march 7, 1990)|(?:7 march 1990)|1990 年 3 月 7 日)"


def find(text: str) -> list[Span]:
    numbers = [Span("phone", m.start(), m.end()) for m in NUMBER.finditer(text)]
    return numbers + [Span("secret", *m.span(1)) for m in BODY.finditer(text)]


def streamed(chunks: list[str]) -> str:
    redactor = StreamRedactor(find)
    return "".join([*(redactor.feed(chunk) for chunk in chunks), redactor.end()])


def cut_at(text: str, places: list[int]) -> list[str]:
    bounds = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[a:b] for a, b in pairwise(bounds)]


PIECES = st.sampled_from(
    ["138 1234 5678", "138-1234-5678", "call ", "me, ", "打电话", "，", "。", "\n", " ", "42", "a long word ", "The End. ", "[x] "]
)


@given(st.lists(PIECES, max_size=20).map("".join), st.lists(st.integers(0, 400), max_size=30))
@settings(max_examples=300)
def test_any_chunking_gives_what_the_whole_text_gives(text: str, places: list[int]) -> None:
    assert streamed(cut_at(text, places)) == masked(text, find(text), Masker())


def test_one_character_at_a_time() -> None:
    text = "Ring 138 1234 5678 or 139 1234 5678, then 138 1234 5678 again."
    assert streamed(list(text)) == "Ring [PHONE_1] or [PHONE_2], then [PHONE_1] again."


def test_prose_waits_for_one_word() -> None:
    redactor = StreamRedactor(find)
    out = [redactor.feed(token) for token in ["The", " cat", " sat", " down", ".\n"]]
    assert out == ["", "The ", "cat ", "sat ", "down.\n"]
    assert redactor.held == 0


@pytest.mark.parametrize(
    "words",
    [
        ["The ", "answer ", "is ", "42 ", "and ", "17 ", "apples. ", "8 ", "are ", "left"],
        ["1, ", "2, ", "3, ", "4, ", "5, ", "and"],
        ["| ", "x1 ", "| ", "42 ", "| ", "7 ", "|\n"],
        ["n ", "= ", "12 ", "* ", "3 ", "= ", "36; ", "4"],
    ],
)
def test_prose_with_numbers_waits_for_one_word_too(words: list[str]) -> None:
    """Regression: no break was seen beside a number, so that a slow answer full of them stood still for 256 characters."""
    redactor = StreamRedactor(find)
    out = [redactor.feed(word) for word in words]
    assert out[1:-1] == words[:-2]


def test_a_date_of_birth_is_one_value() -> None:
    def born(text: str) -> list[Span]:
        return [Span("birth-date", found.start(1), found.end(1), Confidence.HIGH) for found in re.finditer(BORN, text)]

    for text in ("She was born on March 7, 1990 in Rome.", "date of birth: 7 march 1990, he said", "出生日期：1990 年 3 月 7 日。"):
        want = masked(text, born(text), Masker())
        assert "1990" not in want
        redactor = StreamRedactor(born)
        assert "".join([*(redactor.feed(char) for char in text), redactor.end()]) == want


def test_chinese_waits_for_one_clause() -> None:
    redactor = StreamRedactor(find)
    assert redactor.feed("今天天气很好") == ""
    assert redactor.feed("，我们") == "今天天气很好，"


def test_a_private_key_goes_as_a_whole() -> None:
    body = "\n".join("TNG4LNhgilejw02OefVRF3rXvFFCZjc9KkJJXqq4I0JjHTLP8nfSkVeRvzNt6SLj" for _ in range(26))
    text = f"Here:\n-----BEGIN RSA PRIVATE KEY-----\n{body}\nabc=\n-----END RSA PRIVATE KEY-----\ndone"
    want = "Here:\n-----BEGIN RSA PRIVATE KEY-----\n[SECRET_1]-----END RSA PRIVATE KEY-----\ndone"
    assert masked(text, find(text), Masker()) == want
    assert streamed(list(text)) == want
    assert streamed([text[i : i + 7] for i in range(0, len(text), 7)]) == want


def test_a_secret_too_long_to_hold_is_swallowed() -> None:
    line = "TNG4LNhgilejw02OefVRF3rXvFFCZjc9KkJJXqq4I0JjHTLP8nfSkVeRvzNt6SLj\n"
    text = "-----BEGIN PRIVATE KEY-----\n" + line * 400 + "-----END PRIVATE KEY-----\nbye"
    redactor = StreamRedactor(find)
    out = ""
    for start in range(0, len(text), 50):
        out += redactor.feed(text[start : start + 50])
        assert redactor.held <= LONG_HOLD + 50
    assert out + redactor.end() == "-----BEGIN PRIVATE KEY-----\n[SECRET_1]-----END PRIVATE KEY-----\nbye"


def test_what_is_kept_is_bounded() -> None:
    redactor = StreamRedactor(find)
    out = ""
    for _ in range(3000):
        out += redactor.feed("ab1")
        assert redactor.held <= HOLD + 3
        assert len(redactor._text) <= HOLD + CONTEXT + 3
    assert out + redactor.end() == "ab1" * 3000


def test_redacted_lists_the_kinds_in_order() -> None:
    redactor = StreamRedactor(find)
    redactor.feed("138 1234 5678 x")
    redactor.end()
    assert redactor.redacted == ["phone"]
