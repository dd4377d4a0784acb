"""Runs one peer scanner over the corpus, with the peer's own Python. Each sample in a forked child, with a time limit.

    PEERS/picklescan/bin/python evals/models/peer.py picklescan CORPUS OUT.json

Outcome of a sample: bad (the peer calls it malicious), warned, clean, unread (skipped or not supported), error, timeout.
A directory is what its worst file is. Nothing is loaded: the peers' static scanners are called, as their command lines do.
"""

import importlib.metadata
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ["PROMPTFOO_DISABLE_TELEMETRY"] = "1"  # modelaudit would phone home on each sample
ORDER = ("clean", "unread", "error", "timeout", "warned", "bad")


def _picklescan(path: str) -> str:
    from picklescan.scanner import SafetyLevel, scan_file_path

    result = scan_file_path(path)
    levels = {g.safety for g in result.globals}
    if result.issues_count or SafetyLevel.Dangerous in levels:
        return "bad"
    if SafetyLevel.Suspicious in levels:
        return "warned"
    if result.scan_err:
        return "error"
    return "clean" if result.scanned_files else "unread"


def _picklescan_strict(path: str) -> str:
    from picklescan.scanner import scan_file_path

    result = scan_file_path(path, strict=True)
    return "bad" if result.issues_count else "error" if result.scan_err else "clean" if result.scanned_files else "unread"


def _modelscan(path: str) -> str:
    from modelscan.modelscan import ModelScan

    scan = ModelScan()
    result = scan.scan(path)
    if scan.issues.all_issues:
        return "bad"
    if result["errors"]:
        return "error"
    return "clean" if result["summary"]["scanned"]["total_scanned"] else "unread"


def _fickling(path: str) -> str:
    import zipfile

    from fickling.analysis import Severity, check_safety
    from fickling.fickle import StackedPickle

    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if n.endswith((".pkl", ".pickle", ".bin"))]
            parts = [archive.read(n) for n in names]
        if not parts:
            return "unread"
    else:
        parts = [Path(path).read_bytes()]
    worst = "clean"
    for part in parts:
        for pickled in StackedPickle.load(part, fail_on_decode_error=False):
            severity = check_safety(pickled).severity
            if severity >= Severity.LIKELY_UNSAFE:
                worst = "bad"
            elif severity > Severity.LIKELY_SAFE and worst != "bad":
                worst = "warned"
    return worst


def _modelaudit(path: str) -> str:
    from modelaudit.core import scan_model_directory_or_file

    result = scan_model_directory_or_file(path, timeout=60, cache_enabled=False)
    severities = {str(getattr(i.severity, "value", i.severity)).lower() for i in result.issues}
    if "critical" in severities:
        return "bad"
    if "warning" in severities:
        return "warned"
    if not result.files_scanned or any("unsupported" in str(i.message).lower() for i in result.issues):
        return "unread"
    return "error" if result.has_errors else "clean"


PEERS: dict[str, tuple[str, bool, Callable[[str], str]]] = {
    # name: distribution, whether it takes directories itself, call
    "picklescan": ("picklescan", False, _picklescan),
    "picklescan-strict": ("picklescan", False, _picklescan_strict),
    "modelscan": ("modelscan", True, _modelscan),
    "fickling": ("fickling", False, _fickling),
    "modelaudit": ("modelaudit", True, _modelaudit),
}


def _limited(call: Callable[[str], str], path: str, seconds: float) -> str:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        try:
            outcome = call(path)
        except BaseException:
            outcome = "error"
        os.write(write, outcome.encode())
        os._exit(0)
    os.close(write)
    ready, _, _ = select.select([read], [], [], seconds)
    outcome = os.read(read, 64).decode() if ready else "timeout"
    os.close(read)
    if not ready:
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return outcome or "error"


def main() -> int:
    name, corpus, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    distribution, directories, call = PEERS[name]
    samples = json.loads((corpus / "manifest.json").read_text())["samples"]
    started = time.monotonic()
    outcomes: dict[str, str] = {}
    try:
        call(os.devnull)  # pays for imports once, before the forks
    except Exception as error:
        print(f"{name}: warmed up: {error}", file=sys.stderr)
    for number, sample in enumerate(samples):
        path = corpus / sample["path"]
        paths = [path] if directories or path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        found = [_limited(call, str(p), 60) for p in paths] or ["unread"]
        outcomes[sample["id"]] = max(found, key=ORDER.index)
        if number % 200 == 0:
            print(f"{name}: {number}/{len(samples)}, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    version = importlib.metadata.version(distribution)
    out.write_text(json.dumps({"peer": name, "version": version, "outcomes": outcomes}, indent=0) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
