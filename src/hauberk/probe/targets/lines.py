"""Foreign text in our one-line messages."""

SHOWN = 200  # characters


def one_line(text: str, most: int = SHOWN) -> str:
    """`text` on one line, without control characters, cut with an ellipsis at `most` characters."""
    words = " ".join(text[: most * 4].split())
    clean = "".join(character if character.isprintable() else "?" for character in words)
    return clean if len(clean) <= most else clean[: most - 1] + "…"
