"""Events of a stream on their way out: those held back, those let go, always in the order in which they came."""

from hauberk.guard.dialects.dialect import BadUpstream, Delta, EventStream


class _Entry:
    __slots__ = ("delta", "left", "since")

    def __init__(self, delta: Delta, since: float) -> None:
        self.delta = delta
        self.left = delta.text  # what of the text has not gone out
        self.since = since


class Outbox:
    """Events go in as they arrive; texts are let go as they are judged; wire bytes come out.

    An event whose text is let go unchanged goes out as it came, byte for byte. Where the text was changed or cut, a new
    event carries it. Events without text wait for the texts before them, so that nothing overtakes what it follows.
    """

    __slots__ = ("_entries", "_events", "_most", "_ready", "_size", "_wire", "held", "sent")

    def __init__(self, events: EventStream, most: int) -> None:
        self._events = events
        self._most = most  # characters of one answer
        self._size = 0
        self._entries: list[_Entry] = []  # short; a deque would cost every idle stream 0.6 KiB
        self._ready: dict[str, str] = {}
        self._wire: list[bytes] = []
        self.sent: dict[str, list[str]] = {}  # by channel
        self.held = 0.0  # the longest that an event waited, seconds

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._entries

    def put(self, delta: Delta, now: float) -> None:
        """An event that arrived. Raises BadUpstream when the answer grows over its bound."""
        self._size += len(delta.text)
        if self._size > self._most:
            raise BadUpstream(f"the streamed answer is longer than {self._most} characters")
        self._entries.append(_Entry(delta, now))

    def through(self, delta: Delta) -> None:
        """An event that nobody holds back, when nothing waits. Raises BadUpstream when the answer grows over its bound."""
        if delta.text:
            self._size += len(delta.text)
            if self._size > self._most:
                raise BadUpstream(f"the streamed answer is longer than {self._most} characters")
            self.sent.setdefault(delta.channel, []).append(delta.text)
            self._wire.append(delta.raw)
        else:
            self._emit(delta)

    def release(self, channel: str, text: str, now: float) -> None:
        """Text of `channel` that may go out."""
        if not text:
            return
        entries = self._entries
        if len(entries) == 1 and not self._ready and entries[0].left == text and entries[0].delta.channel == channel:
            entry = entries.pop()  # the common case: nothing waits, nothing is changed
            self.held = max(self.held, now - entry.since)
            if entry.delta.text == text:
                self._wire.append(entry.delta.raw)
                self.sent.setdefault(channel, []).append(text)
            else:
                self._say(channel, text)
            return
        self._ready[channel] = self._ready.get(channel, "") + text
        self._advance(now)

    def settle(self, now: float) -> None:
        """Nothing is held back any more: what still waits was taken out of the text."""
        self._advance(now, all_judged=True)
        for channel, text in self._ready.items():
            self._say(channel, text)
        self._ready.clear()

    def pass_on(self, now: float) -> None:
        """Lets everything go as it came, unjudged."""
        for entry in self._entries:
            if entry.left:
                self._ready[entry.delta.channel] = entry.left
                self._emit_text(entry, now, all_judged=True)
            else:
                self.held = max(self.held, now - entry.since)
                self._emit(entry.delta)
        self._entries.clear()
        self._ready.clear()

    def take(self) -> bytes:
        """The wire bytes that have come together."""
        data = self._wire[0] if len(self._wire) == 1 else b"".join(self._wire)
        self._wire.clear()
        return data

    def _advance(self, now: float, *, all_judged: bool = False) -> None:
        entries = self._entries
        while entries:
            entry = entries[0]
            for channel in entry.delta.ends:  # more was let go than came, a label: it stands before the event that ends the text
                if ready := self._ready.pop(channel, ""):
                    self._say(channel, ready)
            if not entry.delta.text:
                self.held = max(self.held, now - entry.since)
                self._emit(entry.delta)
            elif not self._emit_text(entry, now, all_judged=all_judged):
                return
            del entries[0]

    def _emit(self, delta: Delta) -> None:
        if delta.repeats:
            self._wire.append(self._events.restated(delta, {name: "".join(parts) for name, parts in self.sent.items()}))
        else:
            self._wire.append(delta.raw)

    def _emit_text(self, entry: _Entry, now: float, *, all_judged: bool) -> bool:
        """Sends what may go of the entry's text; True when the entry is done with."""
        channel, left = entry.delta.channel, entry.left
        ready = self._ready.pop(channel, "")
        if ready:
            self.held = max(self.held, now - entry.since)
        if ready.startswith(left):
            if left == entry.delta.text:
                self._wire.append(entry.delta.raw)
                self.sent.setdefault(channel, []).append(left)
            else:
                self._say(channel, left)
            if len(ready) > len(left):
                self._ready[channel] = ready[len(left) :]
            return True
        if ready:  # a part of it, or a text that was changed and takes this entry's place
            self._say(channel, ready)
            entry.left = left[len(ready) :] if left.startswith(ready) else ""
            return all_judged or not entry.left
        return all_judged

    def _say(self, channel: str, text: str) -> None:
        self.sent.setdefault(channel, []).append(text)
        self._wire.append(self._events.made(channel, text))
