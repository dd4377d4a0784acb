"""Lines of a stream, each a JSON value of its own (NDJSON), read as they arrive."""

from hauberk.probe.targets.sse import MOST_BYTES, BadEvents, Event


class LineReader:
    """Cuts a stream of bytes into lines, wherever the chunks break; empty lines are passed over. Memory: at most `most` bytes."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._rest: list[bytes] = []
        self._held = 0

    def feed(self, data: bytes) -> list[Event]:
        """The lines that `data` completes. Raises BadEvents when one grows over the limit."""
        *lines, rest = data.split(b"\n")
        events: list[Event] = []
        for line in lines:
            self._end(line, events)
        if rest:
            self._hold(rest)
        return events

    def close(self) -> list[Event]:
        """The last line, when no line end stands behind it."""
        events: list[Event] = []
        self._end(b"", events)
        return events

    def _hold(self, piece: bytes) -> None:
        self._held += len(piece)
        if self._held > self._most:
            raise BadEvents(f"a line of the stream is over {self._most} bytes")
        self._rest.append(piece)

    def _end(self, line: bytes, events: list[Event]) -> None:
        self._hold(line)
        whole = b"".join(self._rest).strip()
        self._rest.clear()
        self._held = 0
        if whole:
            events.append(Event("", whole))
