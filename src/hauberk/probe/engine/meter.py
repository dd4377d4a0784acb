"""Progress on stderr: one line, rewritten, on a terminal; a line now and then where there is none."""

import asyncio
import shutil
import sys
from typing import TextIO

from hauberk.probe.engine.runner import Runner

EVERY = 0.2  # seconds between two redraws
EVERY_LINE = 30.0  # seconds between two lines of a log


class Meter:
    """Shows how far a runner is."""

    def __init__(self, runner: Runner, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._runner = runner
        self._stream = sys.stderr if stream is None else stream
        self._quiet = quiet
        self._terminal = self._stream.isatty()

    async def run(self) -> None:
        """Shows until it is cancelled, and then clears its line."""
        if self._quiet:
            return
        try:
            while True:
                await asyncio.sleep(EVERY if self._terminal else EVERY_LINE)
                self._write(f"\r\x1b[K{self._fitting()}" if self._terminal else f"{self.line()}\n")
        finally:
            if self._terminal:
                self._write("\r\x1b[K")

    def line(self) -> str:
        """Cases, speed, what was spent, what got through, time left."""
        counts, spent = self._runner.counts, self._runner.budget.spent
        share = counts.ended / counts.planned if counts.planned else 1.0
        bar = ("█" * int(share * 20)).ljust(20, "·")
        rate = self._runner.target.caller.sent / max(0.001, counts.seconds)
        parts = [f"{counts.ended:,}/{counts.planned:,} cases", f"{rate:,.1f} requests/s", f"{spent.tokens:,} tokens"]
        if spent.cost:
            parts.append(f"cost {spent.cost:,.4f}")
        parts.append(f"{counts.reached:,} got through")
        left = counts.seconds_left
        if self._runner.halt.why:
            parts.append(f"ending: {self._runner.halt.why}")
        elif left is not None and counts.ended < counts.planned:
            parts.append(f"about {_clock(left)} left")
        pause = self._runner.target.caller.pace.pause
        if pause >= 1:
            parts.append(f"waits {pause:,.0f} s as it was told to")
        return f"{bar} {', '.join(parts)}"

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def _fitting(self) -> str:
        """The line as far as it fits: one that wraps would not be rewritten but scroll the screen away."""
        return self.line()[: max(20, shutil.get_terminal_size().columns - 1)]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
