"""A gateway in a process of its own, for as long as a chat lasts."""

import re
import subprocess
import sys
from collections import deque
from threading import Thread
from types import TracebackType
from typing import Self

PATIENCE = 60.0
_ADDRESS = re.compile(r"listens on (https?://\S+)")


class StartError(Exception):
    """The gateway did not start; the message is what it said."""


class GatewayProcess:
    """`hauberk guard serve` on a free port of this machine."""

    def __init__(self, upstream: str, key_env: str = "", config: str | None = None) -> None:
        self._command = [sys.executable, "-m", "hauberk", "guard", "serve", "--listen", "127.0.0.1:0", "--upstream", upstream]
        self._command += ["--key-env", key_env] if key_env else []
        self._command += ["--config", config] if config else []
        self._said: deque[str] = deque(maxlen=20)
        self.address = ""

    def __enter__(self) -> Self:
        """Waits until it listens. Raises StartError."""
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)  # noqa: S603 - our own program
        assert self._process.stderr
        for line in self._process.stderr:
            self._said.append(line.strip().removeprefix("hauberk: "))
            if found := _ADDRESS.search(line):
                self.address = found.group(1)
                Thread(target=self._drain, daemon=True).start()
                return self
        self._process.wait(PATIENCE)
        raise StartError("; ".join(self._said) or "the gateway ended before it listened")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _drain(self) -> None:
        """Keeps the pipe empty, so that the gateway never waits for it."""
        assert self._process.stderr
        self._said.extend(line.strip() for line in self._process.stderr)
