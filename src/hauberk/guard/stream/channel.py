"""What one channel of a stream holds back, and when it came."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from hauberk.guard.stream.tokens import tail, weight


class Redactor(Protocol):
    """Takes values out of a text as it streams."""

    @property
    def held(self) -> int:
        """Characters held back now."""
        ...

    def feed(self, text: str) -> str:
        """What may go on now that `text` has arrived."""
        ...

    def end(self) -> str:
        """What was held back."""
        ...


class Channel:
    """Text in order: what went out and is kept as context, what is held, and what came and was not redacted yet.

    The redactor's rules cost much more than a text does, so it is asked before a judgement and not for each token. Memory:
    the context and the hold.
    """

    def __init__(self, redactor: Redactor | None, *, tool: str = "", context: int = 0) -> None:
        """`context`: characters that went out and stay in the window."""
        self.tool = tool
        self.held = ""
        self.size = 0  # of `held`, in twelfths of a token
        self.fresh = 0  # characters of `held` that no window has shown yet
        self.pending = 0  # what came and was not redacted yet, in twelfths of a token
        self._redactor = redactor
        self._pending: list[str] = []
        self._came: deque[tuple[float, int]] = deque()  # when, and how many characters, of what is not in `held` yet
        self._context = context
        self._before = ""
        self._arrivals: deque[tuple[float, int]] = deque()  # when, and how many characters of `held` were there then
        self._gone = 0  # characters that left since the counts of `_arrivals` began

    @property
    def window(self) -> str:
        """The context and what is held."""
        return self._before + self.held

    @property
    def waiting(self) -> int:
        """All that is held back, by the redactor too, in twelfths of a token."""
        return self.size + self.pending + (self._redactor.held * weight("x") if self._redactor is not None else 0)

    @property
    def since(self) -> float | None:
        """When the oldest character arrived that can be decided; None when there is none, or only what the redactor keeps."""
        if self._arrivals:
            return self._arrivals[0][0]
        return self._came[0][0] if self._pending else None

    def take(self, text: str, now: float) -> None:
        """Text arrived."""
        if self._redactor is None:
            self._hold(text, now)
        elif text:
            self.pending += weight(text)
            self._pending.append(text)
            self._came.append((now, len(text)))

    def redact(self) -> None:
        """Brings what came into the hold, but for what the redactor keeps: a word or a value that is not whole."""
        if self._redactor is not None and self._pending:
            self._take_over(self._redactor.feed(self._fresh()), self._redactor.held)

    def finish(self) -> None:
        """No more will come."""
        if self._redactor is not None:
            rest = self._fresh()
            self._take_over((self._redactor.feed(rest) if rest else "") + self._redactor.end(), 0)

    def release_all_but(self, twelfths: int) -> str:
        """Lets out all but the last `twelfths` of a token."""
        return self._release(tail(self.held, twelfths))

    def release_older(self, before: float) -> str:
        """Lets out what arrived at `before` or earlier."""
        cut = 0
        for arrived, count in self._arrivals:
            if arrived > before:
                break
            cut = count - self._gone
        return self._release(cut)

    def drop(self) -> None:
        """Forgets what is held."""
        self.held, self.size, self.fresh = "", 0, 0
        self._arrivals.clear()

    def put(self, text: str) -> None:
        """`text` stands in the place of what is held."""
        self.held, self.size = text, weight(text)

    def _fresh(self) -> str:
        text = "".join(self._pending)
        self._pending.clear()
        self.pending = 0
        return text

    def _take_over(self, out: str, kept: int) -> None:
        """`out` comes into the hold, made from all that came but for the last `kept` characters."""
        left = sum(count for _, count in self._came) - kept
        whole = len(out) == left  # nothing was taken out: each piece has its own time, else all have that of the oldest
        since = self._came[0][0] if self._came else 0.0
        place = 0
        while left > 0:
            arrived, count = self._came[0]
            if count > left:
                self._came[0] = arrived, count - left
                count = left
            else:
                self._came.popleft()
            left -= count
            if whole:
                self._hold(out[place : place + count], arrived)
                place += count
        if not whole:
            self._hold(out, since)

    def _hold(self, text: str, now: float) -> None:
        if text:
            self.held += text
            self.size += weight(text)
            self.fresh += len(text)
            self._arrivals.append((now, self._gone + len(self.held)))

    def _release(self, cut: int) -> str:
        out, self.held = self.held[:cut], self.held[cut:]
        if out:
            self.size -= weight(out)
            self._gone += cut
            if self._context:
                self._before = (self._before + out)[-self._context :]
            while self._arrivals and self._arrivals[0][1] <= self._gone:
                self._arrivals.popleft()
        return out


NewRedactor = Callable[[str], Redactor | None]
"""A redactor for a channel; None for a channel whose text stays as it is."""
