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
    """Text in order: what went out and is kept as context, and what is held. Memory: the context and the hold."""

    def __init__(self, redactor: Redactor | None, *, tool: str = "", context: int = 0) -> None:
        """`context`: characters that went out and stay in the window."""
        self.tool = tool
        self.held = ""
        self.size = 0  # of `held`, in twelfths of a token
        self.fresh = 0  # characters of `held` that no window has shown yet
        self._redactor = redactor
        self._waits: float | None = None  # when the oldest text arrived that the redactor holds
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
        return self.size + (self._redactor.held * weight("x") if self._redactor is not None else 0)

    @property
    def since(self) -> float | None:
        """When the oldest character held arrived; None when none is held."""
        return self._arrivals[0][0] if self._arrivals else None

    def take(self, text: str, now: float) -> None:
        """Text arrived."""
        if self._redactor is None:
            self._hold(text, now)
            return
        since = now if self._waits is None else self._waits
        out = self._redactor.feed(text)
        self._hold(out, since)
        self._waits = (now if out else since) if self._redactor.held else None

    def finish(self, now: float) -> None:
        """No more will come."""
        if self._redactor is not None:
            self._hold(self._redactor.end(), now if self._waits is None else self._waits)
            self._waits = None

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
