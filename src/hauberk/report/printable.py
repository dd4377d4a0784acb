"""Hostile strings made safe to show: what a file says of itself may hold escape sequences, bidi controls and markup."""

import re

_CHINESE = "[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]"
_BETWEEN_CHINESE = re.compile(f"(?<={_CHINESE}) (?={_CHINESE})")


def printable(text: str) -> str:
    """`text` on one line, with every control, bidi, private and undecodable character escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\u3000" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def shortened(text: str, limit: int = 200) -> str:
    """`printable(text)`, cut in its middle when it is longer than `limit`, so that both ends of a path stay."""
    shown = printable(text)
    if len(shown) <= limit:
        return shown
    half = (limit - 1) // 2
    return f"{shown[:half]}…{shown[-half:]}"


def flowing(text: str) -> str:
    """Our own prose on one line: a rule's `why` is wrapped in its file. Chinese is joined without a space."""
    return printable(_BETWEEN_CHINESE.sub("", " ".join(text.split())))


def size_text(size: int) -> str:
    """A size as people say it."""
    if size < 1024:
        return f"{size} B"
    value = float(size)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        value /= 1024
        if value < 1024:
            return f"{value:.1f} {unit}"
    return f"{value / 1024:.1f} PiB"
