"""What a message says: its own text, and what that becomes when unseen or disguised letters are read for what they are."""

import msgspec

from hauberk.core import Gap
from hauberk.detect.normalise.trace import Trace


class View(msgspec.Struct, frozen=True):
    """One reading of a text. `steps` names the decodings that led to it, outermost first; empty for the text itself."""

    text: str
    steps: tuple[str, ...] = ()
    traces: tuple[Trace, ...] = ()

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The span of characters of the original text that characters `start` to `end` of this view were read from."""
        for trace in reversed(self.traces):
            start, end = trace.back(start, end)
        return start, end


class Views(msgspec.Struct, frozen=True):
    """Every reading of one text, itself first. `gaps`: bounds that were met; their asset is for the engine to name."""

    views: tuple[View, ...]
    gaps: tuple[Gap, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether no bound left anything undecoded."""
        return not self.gaps
