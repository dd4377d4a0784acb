"""Server-sent events, read as they arrive. WHATWG HTML, section 9.2: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

from collections.abc import Iterator

import msgspec

from hauberk.guard.dialects.dialect import BadUpstream

MOST_BYTES = 16 << 20  # of one event; closing events of the Responses API hold the whole answer

_BOM = b"\xef\xbb\xbf"


class Event(msgspec.Struct, frozen=True):
    """One event. `data` is "" for a comment that stands alone, which servers send to keep a connection open."""

    name: str
    data: bytes


class EventReader:
    """Cuts a stream of bytes into events, wherever the chunks break. Memory: one event, up to `limit` bytes."""

    def __init__(self, limit: int = MOST_BYTES) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._searched = 0  # no blank line ends before this place
        self._after_cr = False  # a line feed that comes first belongs to a line end already counted
        self._at_start = True

    def alone(self, data: bytes) -> bytes | None:
        """The data of the one plain event that `data` is, as servers nearly always send it; else None, and nothing is read."""
        if self._buffer or self._at_start or self._after_cr or not data.startswith(b"data: ") or not data.endswith(b"\n\n"):
            return None
        if data.find(b"\n") != len(data) - 2 or b"\r" in data or len(data) > self._limit:
            return None
        return data[6:-2]

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that `data` completes. Raises BadUpstream when one grows over the limit."""
        if not (self._buffer or self._at_start or self._after_cr) and data.endswith(b"\n\n") and b"\r" not in data:
            for block in data[:-2].split(b"\n\n"):  # whole events, as they nearly always come
                self._bounded(len(block))
                yield from _events(block)
            return
        self._take(data)
        while (end := self._buffer.find(b"\n\n", self._searched)) >= 0:
            block = bytes(self._buffer[:end])
            del self._buffer[: end + 2]
            self._searched = 0
            self._bounded(len(block))
            yield from _events(block)
        self._searched = max(0, len(self._buffer) - 1)
        self._bounded(len(self._buffer))

    def close(self) -> Iterator[Event]:
        """The event that the end of the stream left without its blank line."""
        block = bytes(self._buffer)
        self._buffer.clear()
        self._searched = 0
        yield from _events(block)

    def _take(self, data: bytes) -> None:
        if b"\r" in data or self._after_cr:
            if self._after_cr and data[:1] == b"\n":
                data = data[1:]
                self._after_cr = False
            if data:
                self._after_cr = data[-1:] == b"\r"
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self._buffer += data
        if self._at_start:
            if self._buffer.startswith(_BOM):
                del self._buffer[: len(_BOM)]
                self._at_start = False
            else:
                self._at_start = _BOM.startswith(self._buffer)

    def _bounded(self, size: int) -> None:
        if size > self._limit:
            raise BadUpstream(f"an event of the stream is over {self._limit} bytes")


def _events(block: bytes) -> Iterator[Event]:
    if block.startswith(b"data: ") and b"\n" not in block:
        yield Event("", block[6:])
        return
    name, comment = "", False
    lines: list[bytes] = []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            lines.append(value)
        elif field == b"event":
            name = value.decode("utf-8", "replace")
        elif not field and line:
            comment = True
    if lines:
        yield Event(name, b"\n".join(lines))
    elif comment:
        yield Event("", b"")


def event_bytes(value: bytes, name: str = "") -> bytes:
    """One event on the wire. `value` is JSON, so it holds no line end."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + value + b"\n\n"
