"""A text as the recognisers read it: full-width forms and digits in words become ASCII, invisible characters go.

Every place is traced back.
"""

import re

import msgspec

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_WIDE: dict[int, int | str] = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code) not in "，！？；"} | {
    0x3000: " ", 0xA0: " ", 0x2007: " ", 0x202F: " ", 0x2009: " ",
    0x2010: "-", 0x2011: "-", 0x2012: "-", 0x2013: "-", 0x2014: "-", 0x2212: "-", 0xFE63: "-",
    0x30FB: "·", 0x2022: "·", 0x3002: "。", 0xFE52: ".",
}  # fmt: skip
# Arabic, Persian and Devanagari digits, and the five mathematical faces.
_DIGITS = {zero + n: str(n) for zero in (0x660, 0x6F0, 0x966, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6) for n in range(10)}
# Digits in words, as a number is spelled out: 一三八零零一三八零零零.
_SPELLED = re.compile("[0-9〇零○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖]{7,}")
_NUMERALS = str.maketrans("〇零○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖", "0001234567891123456789")
_FORMS = _WIDE | _DIGITS
_FORM_OF = {chr(code): form if isinstance(form, str) else chr(form) for code, form in _FORMS.items()}
_FOLDABLE = frozenset(_FORM_OF)


class Folded(msgspec.Struct, frozen=True):
    """`text` after folding; `places`, when characters were taken out, gives each character's place in the original."""

    text: str
    places: tuple[int, ...] | None = None

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Where the characters from `start` up to `end` stand in the original."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def fold(text: str) -> Folded:
    """`text`, folded one character to one; invisible ones are taken out."""
    if text.isascii():
        return Folded(text)
    places = None
    if _INVISIBLE.search(text):
        places = tuple(place for place, character in enumerate(text) if not _INVISIBLE.match(character))
        text = "".join(text[place] for place in places)
    for character in _FOLDABLE.intersection(text):  # few are present, and `replace` is faster than `translate`
        text = text.replace(character, _FORM_OF[character])
    return Folded(_SPELLED.sub(lambda run: run[0].translate(_NUMERALS), text), places)
