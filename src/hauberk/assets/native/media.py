"""Images and audio beside a model: only what does not belong in them is looked for."""

from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.content import SliceContent
from hauberk.assets.cursor import Cursor
from hauberk.assets.errors import Truncated
from hauberk.assets.native.payload_magic import HEAD, payload_kind
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Content, Fact

_PNG = b"\x89PNG\r\n\x1a\n"
_MAX_CHUNKS = 100_000
_TAIL = 1 << 20


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset]:
    """Yields what follows the end of an image, and a payload wherever one begins there."""
    assert asset.content is not None
    end = _end_of(asset.content, budget)
    if end is None or end >= asset.content.size:
        return
    rest = SliceContent(asset.content, end, asset.content.size - end)
    head = rest.read(0, 1 << 16)
    if not head.strip(b"\0\r\n ") and rest.size <= len(head):
        return
    kind = payload_kind(head[:HEAD], rest.size)
    note = f"{rest.size} bytes follow the end of the image" + (f" and begin like a {kind}" if kind else "")
    attrs: dict[str, str | int | float | bool] = {"payload": kind}
    yield Fact("media.trailing-data", note, offset=end, where="end", quote=quote(head[:48], 80), attrs=attrs)
    if kind and kind != "zip":  # a zip is found from the end of the whole file
        yield asset.child("(bytes behind the image)", rest)


def _end_of(content: Content, budget: Budget) -> int | None:
    head = content.read(0, 16)
    try:
        if head.startswith(_PNG):
            return _png_end(Cursor(content, len(_PNG)), budget)
        if head.startswith(b"RIFF"):
            length = int.from_bytes(head[4:8], "little")
            return None if length in {0, 0xFFFFFFFF} else 8 + length + (length & 1)
        if head.startswith(b"\xff\xd8\xff"):
            return _jpeg_end(content)
    except Truncated:
        return None
    return None


def _png_end(cursor: Cursor, budget: Budget) -> int | None:
    for _ in range(_MAX_CHUNKS):
        budget.tick()
        length = cursor.uint(4, big=True)
        kind = cursor.take(4)
        cursor.skip(length + 4)
        if kind == b"IEND":
            return cursor.offset
    return None


def _jpeg_end(content: Content) -> int | None:
    # The last end-of-image mark within the tail; thumbnails carry their own, earlier.
    start = max(0, content.size - _TAIL)
    at = content.read(start, _TAIL).rfind(b"\xff\xd9")
    return start + at + 2 if at >= 0 else None
