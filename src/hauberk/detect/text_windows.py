"""The text of an asset as UTF-8 bytes, a window at a time, so that no length is silently cut."""

from collections.abc import Iterator

from hauberk.core import Asset, Content

WINDOW = 4 << 20
OVERLAP = 1 << 14
# Formats whose kind is one that people read, and whose bytes are not text.
_NOT_TEXT = frozenset({"image", "audio", "pdf", "marshal"})
_WIDE = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


class Window:
    """A piece of text: `base` is its byte offset in the asset, `lines` how many lines came before it."""

    def __init__(self, data: bytes, base: int, lines: int, fresh: int = 0, unit: int = 1) -> None:
        self.data = data
        self.base = base
        self.lines = lines
        self.fresh = fresh  # where what the window before has not shown begins
        self._unit = unit  # bytes of the asset per byte of ASCII here

    def offset(self, position: int) -> int:
        """Byte offset in the asset of `position` in the window."""
        if self._unit == 1:
            return self.base + position
        return self.base + self._unit * len(self.data[:position].decode("utf-8", "replace"))

    def line(self, position: int) -> int:
        """Line number of `position`, from 1."""
        return self.lines + self.data.count(b"\n", 0, position) + 1

    def around(self, start: int, end: int) -> bytes:
        """The whole lines that hold `start` to `end`, at most 1,000 bytes either side."""
        first = max(self.data.rfind(b"\n", max(0, start - 1000), start) + 1, start - 1000, 0)
        last = self.data.find(b"\n", end, end + 1000)
        return self.data[first : last if last >= 0 else end + 1000]


def windows(asset: Asset) -> Iterator[Window]:
    """The text of `asset`; nothing when its bytes are not text."""
    content = asset.content
    if content is None or asset.format in _NOT_TEXT or content.size == 0:
        return
    mark = content.read(0, 4)
    for magic, encoding in _WIDE:
        if mark.startswith(magic):
            yield from _wide(content, len(magic), encoding)
            return
    start = lines = 0
    while True:
        data = content.read(start, WINDOW)
        yield Window(data, start, lines, OVERLAP if start else 0)
        if start + len(data) >= content.size or not data:
            return
        step = len(data) - OVERLAP
        lines += data.count(b"\n", 0, step)
        start += step


def _wide(content: Content, mark: int, encoding: str) -> Iterator[Window]:
    lines = 0
    unit = 4 if "32" in encoding else 2
    start = mark
    while start < content.size:
        data = content.read(start, WINDOW)
        seen = len(data[:OVERLAP].decode(encoding, "replace").encode("utf-8")) if start > mark else 0
        text = data.decode(encoding, "replace").encode("utf-8")
        yield Window(text, start, lines, seen, unit)
        if start + len(data) >= content.size or not data:
            return
        step = len(data) - OVERLAP
        lines += data[:step].decode(encoding, "replace").count("\n")
        start += step
