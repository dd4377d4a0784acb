"""Canaries: a token planted in the system prompt of a request. An answer that holds it leaks the prompt.

The token is 16 hexadecimal digits of nonce and 12 of an HMAC-SHA-256 over it, so that a token found later, in a log or on
the web, can be told to be this installation's own. What to look for is `Planted.canaries`, by way of `Exchange.context`.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable

import msgspec

from hauberk.assets.chat import Role
from hauberk.guard.exchange import Edit, Exchange

_NONCE = 8  # bytes
_MARK = 6  # bytes
_CHINESE = ("\u4e00", "\u9fff")


class Planted(msgspec.Struct, frozen=True):
    """What was planted. `edits` are all that the dialect is to write, those it was given among them."""

    canaries: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()


def plant(exchange: Exchange, edits: Iterable[Edit] = (), *, key: bytes = b"", stable: bool = False) -> Planted:
    """A canary at the end of each system prompt of `exchange`; none when there is no prompt to guard.

    `edits`: what is replaced already; a prompt among them is planted in its new text. `stable`: the same prompt gets the
    same canary, made from `key`, so that the upstream's prefix cache goes on working; else it is random per request.

    Raises:
        ValueError: `stable` without a key.
    """
    if stable and not key:
        raise ValueError("a stable canary needs a key; give one, or leave stable off")
    texts = {edit.path: edit.text for edit in edits}
    prompts = [piece for piece in exchange.pieces if piece.role is Role.SYSTEM and piece.text.strip()]
    tokens: list[str] = []
    fresh = "" if stable else token(key)
    for piece in prompts:
        text = texts.get(piece.path, piece.text)
        made = token(key, text) if stable else fresh
        tokens.append(made)
        texts[piece.path] = f"{text}\n{_line(text, made)}"
    return Planted(tuple(dict.fromkeys(tokens)), tuple(Edit(path, text) for path, text in texts.items()))


def token(key: bytes = b"", prompt: str = "") -> str:
    """A new canary: random, or of `prompt` when one is given. Without a key its mark is random as well."""
    if not key:
        return secrets.token_hex(_NONCE + _MARK)
    nonce = _mac(key, b"prompt\0" + prompt.encode("utf-8", "replace"))[:_NONCE] if prompt else secrets.token_bytes(_NONCE)
    return (nonce + _mac(key, b"canary\0" + nonce)[:_MARK]).hex()


def is_ours(text: str, key: bytes) -> bool:
    """Whether the token `text` was made with `key`."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        return False
    return len(data) == _NONCE + _MARK and hmac.compare_digest(_mac(key, b"canary\0" + data[:_NONCE])[:_MARK], data[_NONCE:])


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def _line(text: str, made: str) -> str:
    """An unobtrusive line in the language of the prompt, which asks nothing of the model but to leave it unsaid."""
    chinese = sum(_CHINESE[0] <= c <= _CHINESE[1] for c in text[:4000])
    if chinese * 4 >= len(text[:4000]):
        return f"（内部编号：{made}，无需提及。）"
    return f"(Internal reference {made}, not to be mentioned.)"
