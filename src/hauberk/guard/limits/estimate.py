"""How many tokens a text is, without a tokenizer.

Each UTF-8 byte has a weight by what it begins: a letter of ASCII 0.17 tokens (about four characters of English prose a token,
its spaces included), digits and punctuation 0.8, a Chinese character 0.81, an emoji 4.7. The weights were fitted to the mean of
five tokenizers (cl100k, o200k, Claude 2, Qwen, DeepSeek) over 2,330 texts of chat, Chinese, code and JSON. Over all texts the sum
is 0.91 (cl100k, Claude 2) to 1.04 (DeepSeek) of the true count; a single text lies between 0.64 and 1.63 of it in nine cases of
ten, where characters / 4 lies between 0.20 and 1.54. What the upstream counts replaces the estimate when it says.
"""

from typing import cast

import numpy as np

from hauberk.guard.exchange import Exchange

_CHUNK = 1 << 16
PER_MESSAGE = 4  # tokens of a chat template around each message
PER_IMAGE = 1_000  # the providers' formulas give 85 to 1,600
MAX_CHOICES = 128
_MAX_IDS = 2_000_000


def _weights() -> np.ndarray:
    table = np.zeros(256)
    for byte in range(128):
        char = chr(byte)
        table[byte] = 0.17 if char.isalpha() else 0.777 if char.isdigit() else 0.759
    table[0x20] = 0.224
    table[[0x09, 0x0A, 0x0D]] = 0.54
    table[0xC2:0xE0] = 0.723  # Latin with accents, Greek, Cyrillic, Hebrew, Arabic
    table[0xE0:0xE3] = 0.93  # Indic and Thai, symbols
    table[0xE3] = 0.909  # kana, Chinese punctuation
    table[0xE4:0xEA] = 0.814  # Chinese
    table[0xEA:0xEE] = 0.964  # Hangul
    table[0xEE:0xF0] = 1.23  # full-width forms
    table[0xF0:0xF5] = 4.655  # emoji and rare scripts
    return table


_WEIGHTS = _weights()


def estimate_tokens(text: str) -> int:
    """Tokens that `text` will be, about. Linear in its length and bounded in memory."""
    if not text:
        return 0
    data = np.frombuffer(text.encode("utf-8", "replace"), np.uint8)
    counts = np.zeros(256)
    for start in range(0, len(data), _CHUNK):
        counts += np.bincount(data[start : start + _CHUNK], minlength=256)
    return int(counts @ _WEIGHTS) + 1


def prompt_tokens(exchange: Exchange) -> int:
    """Tokens that the request's messages, tools, images and token ids will be, about."""
    texts = [piece.text for piece in exchange.pieces]
    texts += [f"{tool.name} {tool.description} {tool.parameters}" for tool in exchange.tools]
    overhead = PER_MESSAGE * len(exchange.pieces) + PER_IMAGE * len(exchange.images)
    return estimate_tokens("\n".join(texts)) + overhead + _ids(exchange.body)


def choices(exchange: Exchange) -> int:
    """How many answers the request asks for; each may take `max_tokens`."""
    asked = [exchange.body.get(name) for name in ("n", "best_of")]
    return min(max([n for n in asked if isinstance(n, int) and n > 0], default=1), MAX_CHOICES)


def _ids(body: dict[str, object]) -> int:
    """Prompts given as token ids hold no text, and are counted as they are."""
    found = 0
    todo: list[object] = [body.get("prompt"), body.get("input")]
    while todo and found < _MAX_IDS:
        value = todo.pop()
        if isinstance(value, list):
            items = cast("list[object]", value)
            ids = sum(type(item) is int for item in items)
            found += ids
            if not ids:
                todo.extend(items)
    return found
