import msgspec
from hypothesis import given
from hypothesis import strategies as st

from hauberk.core import Evidence
from hauberk.core.wellformed import well_formed, well_formed_text


def test_what_is_well_formed_is_itself() -> None:
    value = (Evidence(offset=1, where="a\0\n\u202e", quote="链甲 \U0001f6e1"), {"k": ("v",)}, None, 1.5)
    assert well_formed(value) is value


def test_lone_surrogates_are_spelt_out_wherever_they_are() -> None:
    value = (Evidence(where="a\udc80"), {"k\ud800": ("v\udfff",)}, ["untouched"])
    assert well_formed(value) == (Evidence(where="a\\udc80"), {"k\\ud800": ("v\\udfff",)}, ["untouched"])


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_encoded_and_settles(text: str) -> None:
    once = well_formed_text(text)
    assert msgspec.json.decode(msgspec.json.encode(once)) == once
    assert well_formed_text(once) == once
