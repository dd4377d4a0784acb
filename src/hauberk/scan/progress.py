"""Progress on stderr: one line, rewritten, only on a terminal."""

import sys
import time
from typing import TextIO

_EVERY = 0.1  # seconds between two redraws


class Progress:
    """Counts files and bytes done. Silent unless `stream` is a terminal."""

    def __init__(self, files: int, size: int, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self.stream = sys.stderr if stream is None else stream
        self.files, self.size = files, size
        self.done = self.bytes = self.found = 0
        self.started = time.monotonic()
        self._drawn = 0.0
        self._on = not quiet and self.stream.isatty()

    def step(self, size: int, findings: int) -> None:
        """One file is done."""
        self.done += 1
        self.bytes += size
        self.found += findings
        now = time.monotonic()
        if self._on and now - self._drawn >= _EVERY:
            self._drawn = now
            self._draw(now - self.started)

    def _draw(self, elapsed: float) -> None:
        share = (self.bytes + self.done) / max(1, self.size + self.files)
        left = f", about {elapsed * (1 - share) / share:.0f} s left" if share > 0.02 and elapsed > 2 else ""
        bar = ("█" * int(share * 24)).ljust(24, "·")
        line = f"{bar} {self.done:,}/{self.files:,} files, {self.bytes / 1e6:,.0f} MB, {self.found:,} findings{left}"
        self.stream.write(f"\r\x1b[K{line}")
        self.stream.flush()

    def close(self) -> None:
        """Clears the line."""
        if self._on:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
