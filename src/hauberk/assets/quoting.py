"""Turning hostile bytes and text into something safe to print."""

_LIMIT = 160


def quote(value: bytes | str, limit: int = _LIMIT) -> str:
    """`value` as one printable line of at most `limit` characters: control, bidi and undecodable characters escaped."""
    cut = value[: limit + 1]
    text = cut.decode("utf-8", "backslashreplace") if isinstance(cut, bytes) else cut
    if text.isprintable():
        return text if len(text) <= limit else text[: limit - 1] + "…"
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii") for c in text)
    return shown if len(value) <= limit and len(shown) <= limit else shown[: limit - 1] + "…"
