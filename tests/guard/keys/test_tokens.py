"""The form of a key, and what is kept of it."""

import re

from hypothesis import given
from hypothesis import strategies as st

from hauberk.assets.chat import MessageContent, message_asset
from hauberk.detect import Bench
from hauberk.guard.keys import token as tokens
from hauberk.rules.load import load_pack


def test_a_token_has_its_form_and_enough_randomness() -> None:
    token = tokens.new_token()
    assert tokens.well_formed(token)
    assert re.fullmatch(tokens.PATTERN, token)
    assert tokens.RANDOM_BITS >= 192
    assert 62**tokens.BODY >= 2**tokens.RANDOM_BITS
    assert len({tokens.new_token() for _ in range(500)}) == 500


@given(place=st.integers(3, tokens.LENGTH - 1), letter=st.sampled_from("0Zz9"))
def test_any_changed_character_breaks_the_checksum(place: int, letter: str) -> None:
    token = tokens.new_token()
    changed = token[:place] + letter + token[place + 1 :]
    assert tokens.well_formed(changed) == (changed == token)


@given(st.text(max_size=80))
def test_arbitrary_text_is_no_key_and_never_raises(text: str) -> None:
    assert not tokens.well_formed(text)
    assert len(tokens.digest(text)) == 32


def test_lone_surrogates_are_hashed_without_a_traceback() -> None:
    assert len(tokens.digest("hk-\ud800")) == 32


def test_the_pepper_changes_what_is_kept() -> None:
    token = tokens.new_token()
    assert tokens.digest(token, b"a") != tokens.digest(token, b"b") != tokens.digest(token)
    assert tokens.digest(token, b"a") == tokens.digest(token, b"a")


def test_a_scanner_finds_every_key_and_no_word_that_only_looks_like_one() -> None:
    bench = Bench([rule for rule in load_pack().rules if rule.id == "secret-hauberk"])

    def found(text: str) -> int:
        return len(list(bench.inspect(message_asset(MessageContent(text)))))

    for _ in range(20):
        token = tokens.new_token()
        assert found(f"my key is {token}.") == 1
        assert found(f"my key is {token[:-1]}{'a' if token[-1] != 'a' else 'b'}.") == 0
