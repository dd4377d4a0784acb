"""`hauberk guard serve` as its own process, started from a configuration file as an operator would."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HAUBERK = (sys.executable, "-m", "hauberk")
_ADDRESS = re.compile(r"listens on https?://127\.0\.0\.1:([0-9]+)")


def until(condition: Callable[[], Any], seconds: float = 120.0) -> Any:
    """What `condition` gives once it is something."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)
    return found


def cli(*arguments: str, cwd: Path, code: int = 0) -> str:
    """What a command prints; it must end with `code`."""
    done = subprocess.run((*HAUBERK, *arguments), cwd=cwd, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    return done.stdout


class Guard:
    """One gateway in a folder of its own."""

    def __init__(self, folder: Path, config: str, *, program: tuple[str, ...] = HAUBERK, env: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.file = folder / "hauberk.toml"
        self.file.write_text(config)
        self._said = folder / "said.txt"
        command = (*program, "guard", "serve", "--config", str(self.file))
        with self._said.open("wb") as out:
            self.process = subprocess.Popen(
                command, cwd=folder, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})}
            )
        self.port = 0

    def ready(self) -> "Guard":
        """Waits until requests are taken."""
        self.port = int(until(lambda: self._alive() and _ADDRESS.search(self.said))[1])
        until(lambda: self._alive() and self.answers())
        return self

    def _alive(self) -> bool:
        assert self.process.poll() is None, self.said
        return True

    @property
    def said(self) -> str:
        """Everything on stdout and stderr so far."""
        return self._said.read_text()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get("/healthz").status == 200
        return False

    def get(self, path: str, **headers: str) -> "Reply":
        return self._ask("GET", path, None, headers)

    def post(self, path: str, body: object, **headers: str) -> "Reply":
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._ask("POST", path, data, {"content-type": "application/json", **headers})

    def chat(self, text: str = "hello there", key: str = "", **more: Any) -> "Reply":
        """One chat request."""
        body = {"model": "m", "messages": [{"role": "user", "content": text}], **more}
        return self.post("/v1/chat/completions", body, **({"authorization": f"Bearer {key}"} if key else {}))

    def _ask(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> "Reply":
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=150)
        try:
            conn.request(method, path, data, headers)
            return Reply(conn.getresponse())
        finally:
            conn.close()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=100)

    def reload(self) -> None:
        """SIGHUP; returns when the gateway has said what it makes of the file."""
        words = ("new settings are in force", "old ones stay")
        before = sum(self.said.count(each) for each in words)
        self.process.send_signal(signal.SIGHUP)
        until(lambda: sum(self.said.count(each) for each in words) > before)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(150)

    def kill(self) -> None:
        """Whatever state it is in, and its workers with it."""
        children = self.workers() if self.process.poll() is None else []
        self.process.kill()
        self.process.wait()
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def workers(self) -> list[int]:
        """Process ids of the worker processes."""
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def log(self, folder: str = "audit") -> list[dict[str, Any]]:
        """The entries of the audit log."""
        return [json.loads(line) for line in cli("audit", "show", folder, cwd=self.folder).splitlines()]


class Reply:
    """A whole response."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        return self.json()["error"]

    @property
    def text(self) -> str:
        """The answer of a chat."""
        return self.json()["choices"][0]["message"]["content"]

    def events(self) -> list[dict[str, Any]]:
        lines = self.body.decode().splitlines()
        return [json.loads(line[6:]) for line in lines if line.startswith("data: ") and line != "data: [DONE]"]

    def streamed(self) -> str:
        """The text of a streamed chat."""
        choices = [choice for event in self.events() for choice in event.get("choices", ())]
        return "".join(choice["delta"].get("content") or "" for choice in choices)


def config(url: str, *, top: str = "", more: str = "") -> str:
    """A configuration with the OpenAI-compatible model `m` at `url`; `top`: keys of `[guard]`, `more`: tables."""
    return f'[guard]\nlisten = "127.0.0.1:0"\n{top}\n{_upstream("openai", url)}[guard.retries]\nmost = 0\n{more}'


def both(url: str, *, more: str = "") -> str:
    """As `config`, with the model in both APIs."""
    return config(url, more=_upstream("anthropic", url) + more)


def _upstream(api: str, url: str) -> str:
    circuit = "circuit = { failures = 1000000 }"
    return f'[[guard.upstream]]\nname = "{api}"\napi = "{api}"\nbase-url = "{url}"\nmodels = ["m"]\n{circuit}\n'


LIMITS = """
[guard.limits]
source-failures = 10000
source-requests = 100000
"""
AUDIT = """
[guard.audit]
folder = "audit"
checkpoint-seconds = 0.5
"""


OPEN = AUDIT + LIMITS + '[guard.approvals]\nstore = "approvals.db"\nexpiry = 120.0\n'
STRICT = f"""{LIMITS}
[guard.keys]
store = "keys.db"
[guard.audit]
folder = "audit"
bodies = "redacted"
checkpoint-seconds = 0.5
[guard.detect]
canary = true
[guard.label]
enabled = true
producer = "example"
[guard.approvals]
store = "approvals.db"
expiry = 0.6
[[guard.policy.entry]]
action = "redact"
remedy = "spotlight"
risks = ["prompt-injection", "tool-poisoning", "context-poisoning"]
roles = ["tool"]
"""

NewGuard = Callable[..., Guard]
