"""Server-sent events, read as they arrive, without I/O.

WHATWG HTML, section 9.2: https://html.spec.whatwg.org/multipage/server-sent-events.html. One leniency: an event that the end of the
stream left without its blank line is taken, since many model servers forget it.
"""

import msgspec

MOST_BYTES = 4 << 20  # of one event; closing events of the Responses API repeat the whole answer
_BOM = b"\xef\xbb\xbf"


class BadEvents(ValueError):
    """The stream cannot be read; the message says why."""


class Event(msgspec.Struct, frozen=True):
    """One event: its name ("" for the default) and the lines of its data, joined."""

    name: str
    data: bytes


class EventReader:
    """Cuts a stream of bytes into events, wherever the chunks break. Memory: one event, at most `most` bytes."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._rest: list[bytes] = []  # of a line that has not ended
        self._held = 0  # bytes in `_rest` and `_data`
        self._after_cr = False
        self._head: bytes | None = b""  # until it is clear whether a byte order mark stands first
        self._name = ""
        self._data: list[bytes] = []

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes. Raises BadEvents when one grows over the limit."""
        if self._head is not None:
            data = self._head + data
            if len(data) < len(_BOM) and _BOM.startswith(data):
                self._head = data
                return []
            self._head = None
            data = data.removeprefix(_BOM)
        if self._after_cr and data:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = data.split(b"\n")
        events: list[Event] = []
        for line in lines:
            self._take(self._whole(line), events)
        if rest:
            self._hold(len(rest))
            self._rest.append(rest)
        return events

    def close(self) -> list[Event]:
        """The event that the stream's end left unfinished, if there is one."""
        events: list[Event] = []
        head, self._head = self._head, None
        if head:
            self._rest.append(head)
        if self._rest:
            self._take(self._whole(b""), events)
        self._take(b"", events)
        return events

    def _whole(self, end: bytes) -> bytes:
        if not self._rest:
            return end
        line = b"".join((*self._rest, end))
        self._held -= sum(map(len, self._rest))
        self._rest.clear()
        return line

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > self._most:
            raise BadEvents(f"an event of the stream is over {self._most} bytes")

    def _take(self, line: bytes, events: list[Event]) -> None:
        if not line:
            if self._data:
                events.append(Event(self._name, b"\n".join(self._data)))
                self._data = []
                self._held = 0
            self._name = ""
            return
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._hold(len(value) + 1)
            self._data.append(value)
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
