"""Text to bytes and back for the encodings. What UTF-8 cannot say (lone surrogates of a broken seed) becomes a question mark."""


def octets(text: str) -> bytes:
    """The UTF-8 of `text`."""
    return text.encode("utf-8", "replace")


def text_of(data: bytes) -> str:
    """What `data` says in UTF-8."""
    return data.decode("utf-8", "replace")
