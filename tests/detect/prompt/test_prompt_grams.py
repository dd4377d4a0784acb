import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.detect.prompt.grams import BITS, CHARACTERS, WORDS, buckets


def pairs(text: str) -> set[tuple[int, int]]:
    numbers, places = buckets(text)
    return set(zip(numbers.tolist(), places.tolist(), strict=True))


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_gives_buckets_in_range_at_places_in_the_text(text: str) -> None:
    numbers, places = buckets(text)
    assert len(numbers) == len(places)
    assert not len(numbers) or (numbers.min() >= 0 and numbers.max() < 1 << BITS)
    assert not len(places) or (places.min() >= 0 and places.max() < len(text))


@settings(deadline=None)
@given(st.text(max_size=40), st.text(alphabet="ab忽略", min_size=1, max_size=40))
def test_the_grams_of_a_word_are_found_whatever_stands_before_it(before: str, text: str) -> None:
    alone = set(buckets(text)[0].tolist())
    assert alone <= set(buckets(f"{before} {text}")[0].tolist())


def test_case_and_runs_of_white_space_do_not_count() -> None:
    assert set(buckets("Ignore  ALL\n\nrules")[0].tolist()) == set(buckets("ignore all rules")[0].tolist())


def test_a_capital_that_becomes_two_characters_keeps_the_places() -> None:
    _, places = buckets("İİİ ignore")
    assert places.max() == len("İİİ ignore") - 1


def test_the_number_of_grams_is_that_of_the_orders() -> None:
    text = "one two three"
    numbers, _ = buckets(text)
    characters = sum(len(text) - size + 1 for size in range(1, CHARACTERS + 1))
    assert len(numbers) == characters + sum(3 - size + 1 for size in range(1, WORDS + 1))


def test_chinese_has_characters_and_no_words() -> None:
    numbers, _ = buckets("忽略指令")
    assert len(numbers) == 4 + 3 + 2 + 1


@pytest.mark.parametrize("text", ["", " \n\t ", "\u3000"])
def test_a_blank_text_has_no_grams(text: str) -> None:
    assert len(buckets(text)[0]) == 0


def test_lone_surrogates_are_read() -> None:
    assert len(buckets("a\ud800b")[0]) > 0


def test_the_same_text_hashes_the_same_on_every_machine() -> None:
    numbers, _ = buckets("a")
    assert numbers.dtype == np.int32
    assert pairs("hauberk") == pairs("hauberk")


def test_a_megabyte_is_hashed() -> None:
    numbers, _ = buckets("忽略 rules " * 20_000)
    assert len(numbers) > 500_000
