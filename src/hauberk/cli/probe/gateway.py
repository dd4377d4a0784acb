"""A guard of its own in front of a target, for as long as a command runs."""

import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager

from hauberk.cli.errors import UserError

PATIENCE = 60.0
"""Seconds until the gateway has to answer; its models are loaded in them."""
_TOLD = 400
"""Characters of the gateway's last words that a failure shows."""


@contextmanager
def gateway(upstream: str, key_env: str = "", config: str = "") -> Generator[str]:
    """A gateway in front of `upstream`, as `hauberk guard serve` runs it; gives its base URL. Raises UserError.

    `upstream` is the base URL of an OpenAI-compatible API. The process ends with the block.
    """
    if not upstream.startswith(("http://", "https://")):
        raise UserError(f"{upstream}: only the base URL of an OpenAI-compatible API can have the guard in front")
    port = _free_port()
    words = ["guard", "serve", "--upstream", upstream, "--listen", f"127.0.0.1:{port}"]
    words += ["--key-env", key_env] if key_env else []
    words += ["--config", config] if config else []
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "hauberk", *words], stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        try:
            _wait(process, port)
            yield f"http://127.0.0.1:{port}/v1"
        except _NotUp as error:
            said.seek(0)
            told = " ".join(said.read()[-_TOLD:].decode("utf-8", "replace").split())
            raise UserError(f"the guard did not start: {error}{': ' if told else ''}{told}") from error
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class _NotUp(Exception):
    """The gateway ended, or does not answer."""


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise _NotUp(f"it ended with code {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise _NotUp(f"no answer within {PATIENCE:.0f} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
