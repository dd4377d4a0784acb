"""Taking bytes from a stream into a file, with a cap."""

from typing import BinaryIO


class TargetError(Exception):
    """A target cannot be used. The message says what, where and what to do."""


def copy_bounded(source: BinaryIO, target: BinaryIO, limit: int) -> bool:
    """Copies at most `limit` bytes; whether there was more."""
    left = limit
    while left > 0:
        data = source.read(min(1 << 20, left))
        if not data:
            return False
        target.write(data)
        left -= len(data)
    return bool(source.read(1))
