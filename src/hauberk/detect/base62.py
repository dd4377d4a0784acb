"""Tokens that end in six base62 characters of a CRC-32, as GitHub's do and ours: chance does not pass for one."""

import string
import zlib

CHECK = 6
"""Base62 characters that a CRC-32 takes."""

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase


def base62(number: int, width: int) -> str:
    """The last `width` digits of a number to base 62: 0-9, A-Z, a-z."""
    digits: list[str] = []
    for _ in range(width):
        number, rest = divmod(number, 62)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))


def checksum(body: str) -> str:
    """What a token of this body ends in."""
    return base62(zlib.crc32(body.encode("utf-8", "replace")), CHECK)


def checks(token: str) -> bool:
    """Whether what follows the prefix of `token` (up to its last `-` or `_`) ends in its own checksum."""
    start = max(token.rfind("-"), token.rfind("_")) + 1
    return len(token) - start > CHECK and checksum(token[start:-CHECK]) == token[-CHECK:]
