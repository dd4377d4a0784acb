"""`hauberk guard serve` as the attackers meet it: default rules and policy, fail closed, every request in the audit log."""

import json
import re
import subprocess
import sys
import threading
from collections import Counter, deque
from pathlib import Path
from typing import Any, Self

CONFIG = """\
[guard]
listen = "127.0.0.1:0"
fail = "closed"

[[guard.upstream]]
name = "local"
base-url = "{upstream}"
models = ["*"]

[guard.limits]
source-requests = 1000000    # the attackers all come from one address; the limits are measured elsewhere

[guard.audit]
folder = "{audit}"
bodies = "hash"
"""
_ADDRESS = re.compile(r"listens on (https?://\S+)")


class GuardError(Exception):
    """The gateway did not start."""


class Guard:
    """A gateway in front of `upstream` (with its /v1), with its files in `folder`."""

    def __init__(self, upstream: str, folder: Path) -> None:
        self._audit = folder / "audit"
        self._config = folder / "hauberk.toml"
        self._config.write_text(CONFIG.format(upstream=upstream, audit=self._audit), "utf-8")
        self.address = ""
        self.said: deque[str] = deque(maxlen=50)

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "hauberk", "guard", "serve", "--config", str(self._config)]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        assert self._process.stderr
        for line in self._process.stderr:
            self.said.append(line.strip())
            if found := _ADDRESS.search(line):
                self.address = found.group(1)
                threading.Thread(target=self._drain, daemon=True).start()
                return self
        raise GuardError("; ".join(self.said) or "it ended before it listened")

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def logged(self) -> dict[str, Any]:
        """What the audit log says, after the end: whether it verifies, how requests ended, and which side was refused."""
        hauberk = [sys.executable, "-m", "hauberk", "audit"]
        verified = subprocess.run([*hauberk, "verify", str(self._audit)], capture_output=True, text=True, check=False)
        shown = subprocess.run(
            [*hauberk, "show", str(self._audit), "--type", "request"], capture_output=True, text=True, check=False
        )
        entries = [json.loads(line)["data"] for line in shown.stdout.splitlines()]
        refused = [entry for entry in entries if entry["action"] == "block"]
        return {
            "verify": (verified.stdout or verified.stderr).strip().replace(str(self._audit), "audit").splitlines()[-1:],
            "verified": verified.returncode == 0,
            "requests": len(entries),
            "actions": dict(Counter(entry["action"] for entry in entries)),
            "statuses": {str(k): v for k, v in Counter(entry["status"] for entry in entries).items()},
            "refused_before_the_model": sum(not entry["upstream"] for entry in refused),
            "refused_for_the_answer": sum(bool(entry["upstream"]) for entry in refused),
            "gaps": dict(Counter(gap["reason"] for entry in entries for gap in entry["gaps"])),
            "rules_of_refused": dict(
                Counter(rule for entry in refused for rule in {f["rule"] for f in entry["findings"]}).most_common()
            ),
        }

    def _drain(self) -> None:
        """Keeps the pipe empty, so that the gateway never waits for it."""
        assert self._process.stderr
        self.said.extend(line.strip() for line in self._process.stderr)
