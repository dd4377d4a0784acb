"""Check digits against the examples of the standards, and against chance."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.detect.personal import checks


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (checks.luhn, "4111111111111111"),
        (checks.luhn, "79927398713"),
        (checks.mod11_2, "11010519491231002X"),  # the example of GB 11643
        (checks.mod11_2, "440524188001010014"),
        (checks.mod11_10, "86095742719"),
        (checks.mod97_10, "GB82WEST12345698765432"),
        (checks.mod97_10, "DE89370400440532013000"),
        (checks.verhoeff, "2363"),
        (checks.mod31, "91350100M000100Y43"),  # the example of GB 32100
        (checks.bech32, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),  # BIP 173
        (checks.bech32, "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"),  # BIP 350
    ],
)
def test_examples_of_the_standards(check: Callable[[str], bool], value: str) -> None:
    assert check(value)
    for place, character in enumerate(value):
        other = next(c for c in "2357" if c != character)
        if character.isdigit():  # every one of these checks catches any single wrong digit
            assert not check(value[:place] + other + value[place + 1 :])


def test_base58check_of_the_first_block() -> None:
    versions = frozenset({0})
    assert checks.base58check("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", versions)
    assert not checks.base58check("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", versions)
    assert not checks.base58check("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", versions)
    assert not checks.base58check("z" * 35, versions)


@given(st.text("0123456789", min_size=2, max_size=30))
def test_one_last_digit_in_ten_passes(stem: str) -> None:
    assert sum(checks.luhn(f"{stem}{digit}") for digit in range(10)) == 1
    assert sum(checks.verhoeff(f"{stem}{digit}") for digit in range(10)) == 1
    assert sum(checks.mod11_2(f"{stem}{last}") for last in "0123456789X") == 1
