"""The key as its holder has it, and what is kept of it.

A token is `hk-`, 43 base62 characters of 256 random bits, and 6 of their CRC-32, so that a secret scanner can tell a key from
a word that looks like one without asking anybody. What is kept is HMAC-SHA256(pepper, SHA-256(token)). A slow hash (bcrypt,
Argon2) defends secrets that people choose, which can be guessed; 256 random bits cannot be, at any speed, and a slow hash on
each request would only give an attacker a way to spend our CPU.
"""

import hashlib
import hmac
import secrets

from hauberk.detect.base62 import CHECK, base62, checksum

PREFIX = "hk-"
RANDOM_BITS = 256
BODY = 43  # base62 characters that 256 bits take
LENGTH = len(PREFIX) + BODY + CHECK
PATTERN = rf"\bhk-[0-9A-Za-z]{{{BODY + CHECK}}}\b"
"""For secret scanners; `well_formed` then tells true keys from chance."""


def new_token() -> str:
    """A fresh key from the system's random source."""
    body = base62(secrets.randbits(RANDOM_BITS), BODY)
    return PREFIX + body + checksum(body)


def well_formed(token: str) -> bool:
    """Whether `token` has the form of a key and its checksum is right."""
    if len(token) != LENGTH or not token.startswith(PREFIX) or not token.isascii():
        return False
    return checksum(token[len(PREFIX) : -CHECK]) == token[-CHECK:]


def hint(token: str) -> str:
    """The checksum: enough to find the record of a leaked key, nothing of its random part that could be searched for."""
    return token[-CHECK:]


def digest(token: str, pepper: bytes = b"") -> bytes:
    """What is kept of a token: 32 bytes. `pepper` is a secret kept outside the store, from the environment."""
    inner = hashlib.sha256(token.encode("utf-8", "replace")).digest()
    return hmac.digest(pepper, inner, "sha256")
