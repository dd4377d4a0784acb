"""What a prompt looks like, cheaply: hashed, so that no text is kept."""

import re
import zlib
from typing import cast

import msgspec
import numpy as np

SIZE = 256  # buckets of the hashed vector
_MOST_CHARS = 600  # of a prompt: its form shows in its beginning and its end
_WORD = re.compile(r"[a-z]+|\d+|[㐀-鿿]|[^\w\s]")


class Seen(msgspec.Struct, frozen=True):
    """One prompt: its words, its frame and how it was asked, as numbers."""

    words: np.ndarray  # hashed words and pairs, length 1
    frame: int  # hash of how it begins and ends, digits and the middle left out
    length: float  # log of its words
    mechanical: bool  # temperature 0, logprobs, or one token of answer asked for


def seen_of(text: str, body: dict[str, object]) -> Seen:
    """The prompt `text` of the request `body`."""
    head, tail = text[: _MOST_CHARS // 2], text[_MOST_CHARS // 2 :][-_MOST_CHARS // 2 :]
    words = cast("list[str]", _WORD.findall((head + " " + tail).lower()))
    shape = ["0" if word.isdigit() else word for word in words]
    vector = np.zeros(SIZE)
    for first, second in zip(shape, [*shape[1:], ""], strict=False):
        vector[zlib.crc32(first.encode()) % SIZE] += 1
        vector[zlib.crc32(f"{first} {second}".encode()) % SIZE] += 0.5
    norm = float(np.linalg.norm(vector))
    framing = " ".join((*shape[:4], "|", *shape[-2:])) if len(shape) >= 8 else text
    frame = zlib.crc32(framing.encode("utf-8", "replace"))
    unit = (vector / norm if norm else vector).astype(np.float32)
    return Seen(unit, frame, float(np.log1p(len(words))), _mechanical(body))


def _mechanical(body: dict[str, object]) -> bool:
    asked = body.get("max_tokens", body.get("max_completion_tokens"))
    return (
        (type(body.get("temperature")) in {int, float} and body.get("temperature") == 0)
        or bool(body.get("logprobs"))
        or bool(body.get("top_logprobs"))
        or asked == 1
    )
