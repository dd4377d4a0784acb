"""Takes the seed's own words out of an attack's text, so that what is learnt is the attack and not its topic."""

import re

LEAST = 16
"""Characters that must remain: below that there is no attack to learn, only its request."""
MOST_TEXT = 32_000
"""Characters of a sample that are learnt from."""


def pieces(text: str, request: str) -> list[str]:
    """What stands before, between and after each place where `request` stands word for word, whatever its case and spaces."""
    text = text[:MOST_TEXT]
    words = request.split()
    if not words:
        return [text]
    pattern = r"\s+".join(re.escape(word) for word in words)  # linear: words are literal and apart
    return re.split(pattern, text, flags=re.IGNORECASE)


def remains(text: str, request: str) -> int:
    """Letters and digits of `text` that are not the request's."""
    return sum(letter.isalnum() for piece in pieces(text, request) for letter in piece)
