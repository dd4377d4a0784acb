"""Compressed answers, unpacked within bounds: a kilobyte of gzip can hold a megabyte of nothing."""

import zlib


class BadPacking(ValueError):
    """What came is not packed as it says, or in a way that we do not read."""


class Unpacker:
    """Unpacks one answer piece by piece. Nothing over `most` bytes is ever unpacked at once."""

    def __init__(self, encoding: str, most: int) -> None:
        """Raises BadPacking for an encoding other than gzip and deflate."""
        if encoding not in {"gzip", "x-gzip", "deflate"}:
            raise BadPacking(f"the answer is packed as {encoding!r}, though we asked for plain bytes")
        # 32 lets zlib tell gzip from zlib by the header.
        self._engine = zlib.decompressobj(32 + zlib.MAX_WBITS)
        self._most = most

    def feed(self, data: bytes) -> bytes:
        """What `data` holds, at most `most` + 1 bytes in all calls together. Raises BadPacking."""
        if self._most < 0:
            return b""
        try:
            made = self._engine.decompress(data, self._most + 1)
        except zlib.error:
            raise BadPacking("the answer says that it is compressed, and is not") from None
        self._most -= len(made)
        return made
