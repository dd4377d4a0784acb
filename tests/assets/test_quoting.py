"""Quoting: whatever comes in, one printable bounded line comes out."""

from hypothesis import given
from hypothesis import strategies as st

from hauberk.assets.quoting import quote


@given(st.one_of(st.binary(max_size=400), st.text(max_size=400)), st.integers(2, 200))
def test_printable_and_bounded(value: bytes | str, limit: int) -> None:
    shown = quote(value, limit)
    assert shown.isprintable()
    assert len(shown) <= limit


def test_escapes() -> None:
    assert quote("a\x1b[31mb\u202ec\n") == "a\\x1b[31mb\\u202ec\\n"
    assert quote(b"\xff\x00ok") == "\\xff\\x00ok"
    assert quote("\ud800x") == "\\ud800x"


def test_cut_is_marked() -> None:
    assert quote("x" * 10, 5) == "xxxx…"
