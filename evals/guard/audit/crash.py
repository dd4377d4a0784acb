"""Kills the audit log's writer again and again and asks: is every entry that was acknowledged still there, in an unbroken chain?

    python evals/guard/audit/crash.py [--loops 100] [-o evals/guard/audit/results.json]

A process kill, not a power cut: what the kernel has taken it keeps.
"""

import argparse
import json
import platform
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hauberk import __version__
from hauberk.store.audit.verify import public_key, verify

WRITER = """
import sys
from hauberk.store.audit.log import AuditLog, LogOptions
log = AuditLog(sys.argv[1], LogOptions(segment_bytes=1 << 20, checkpoint_entries=500))
pending = []
while True:
    pending.append(log.append("request", {"model": "m", "decision": "allow", "filler": "x" * 100}))
    if len(pending) == 50:
        for future in pending:
            print(future.result(60).seq, flush=True)
        pending.clear()
"""


def killed_once(folder: str, seconds: float) -> int:
    """Runs the writer for about `seconds`, kills it; the last acknowledged entry's number."""
    last = -1
    with subprocess.Popen([sys.executable, "-c", WRITER, folder], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        first = process.stdout.readline()
        last = int(first) if first.endswith("\n") else -1
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            line = process.stdout.readline()
            last = int(line) if line.endswith("\n") else last
        process.send_signal(signal.SIGKILL)
        for line in process.stdout:
            last = int(line) if line.endswith("\n") else last
    return last


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--loops", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path)
    asked = parser.parse_args()
    randomness = random.Random(asked.seed)  # noqa: S311 - when to kill, not a key
    lost = breaks = torn = entries = 0
    with tempfile.TemporaryDirectory() as folder:
        for loop in range(asked.loops):
            acknowledged = killed_once(folder, randomness.uniform(0.02, 0.4))
            made = verify(folder, *public_key(folder))
            lost += max(0, acknowledged + 1 - made.entries)
            breaks += made.broken is not None
            torn += made.torn > 0
            entries = made.entries
            if sys.stderr.isatty():
                print(f"\r{loop + 1}/{asked.loops} kills, {entries} entries", end="", file=sys.stderr)
    result = {
        "kills": asked.loops,
        "entries": entries,
        "acknowledged_lost": lost,
        "chain_breaks": breaks,
        "torn_last_lines_seen": torn,
        "hauberk": __version__,
        "python": platform.python_version(),
        "machine": platform.platform(),
    }
    print(json.dumps(result, indent=2))
    if asked.output:
        asked.output.write_text(json.dumps(result, indent=2) + "\n")
    sys.exit(bool(lost or breaks))


if __name__ == "__main__":
    main()
