"""An estimate of tokens by characters: no tokenizer, since each upstream has its own."""

# In twelfths of a token, so that sums are exact: about 4 ASCII characters, 2 of other alphabets and 1.5 CJK make one.
_ASCII, _OTHER, _CJK = 3, 6, 8
_FIRST_CJK = "⺀"  # CJK radicals; emoji come after it too, and count alike
TWELFTHS = 12


def weight(text: str) -> int:
    """The estimated tokens of `text`, in twelfths."""
    if text.isascii():
        return _ASCII * len(text)
    return sum(_of(character) for character in text)


def tail(text: str, twelfths: int) -> int:
    """Where the longest end of `text` begins that weighs at most `twelfths`."""
    if text.isascii():
        return max(0, len(text) - twelfths // _ASCII)
    place = len(text)
    while place and (twelfths := twelfths - _of(text[place - 1])) >= 0:
        place -= 1
    return place


def _of(character: str) -> int:
    if character < "\x80":
        return _ASCII
    return _CJK if character >= _FIRST_CJK else _OTHER
