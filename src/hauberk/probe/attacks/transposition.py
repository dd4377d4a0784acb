"""Transposition ciphers: the same characters in the order that a key says."""


def transposed(text: str, order: list[int]) -> str:
    """The characters of `text` in `order`."""
    return "".join(text[place] for place in order)


def restored(text: str, order: list[int]) -> str:
    """The text whose characters in `order` are `text`."""
    made = [""] * len(text)
    for character, place in zip(text, order, strict=True):
        made[place] = character
    return "".join(made)
