"""Colours of the terminal, when they are wanted."""

_CODES = {
    "block": "1;31",
    "hold": "1;33",
    "admit": "1;32",
    "dim": "2",
    "bold": "1",
    "critical": "1;31",
    "high": "31",
    "medium": "33",
}


class Paint:
    """Paints, or leaves as it is."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def __call__(self, style: str, text: str) -> str:
        """`text` in `style`, one of the verdicts, severities, "bold" and "dim"."""
        code = _CODES.get(style, "") if self._colour else ""
        return f"\x1b[{code}m{text}\x1b[0m" if code and text else text
