"""Probes a real local model without and then with the guard in front, and keeps the figures.

    python evals/probe/local/run.py [--limit 120] [--gguf PATH --name NAME]

The model is served on loopback by xllamacpp: SmolLM2-135M (98 MB), fetched by `evals/guard/llm/fetch.sh`, or the one whose GGUF is
named: `--gguf PATH --name NAME`. About 15 minutes on two idle cores with the default limit.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
LLM = ROOT / ".cache" / "llm"
SMOL = LLM / "SmolLM2-135M-Instruct.Q4_1.gguf"


def main() -> None:
    options = _options()
    gguf = options.gguf or SMOL
    if gguf == SMOL and not gguf.exists():
        subprocess.run([str(ROOT / "evals/guard/llm/fetch.sh")], check=True)
    with subprocess.Popen(
        [options.python or LLM / "venv/bin/python", ROOT / "evals/guard/llm/serve.py", gguf, "0", str(options.threads)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as server:  # fmt: skip
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        print(f"{gguf.name} at {url}", file=sys.stderr)
        try:
            made = _guarded(url, options)
        finally:
            server.terminate()
    made |= {
        "model": options.name or gguf.stem,
        "hauberk": version("hauberk"),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
    }
    made |= {"python": platform.python_version(), "date": time.strftime("%Y-%m-%d"), "limit": options.limit}
    known = json.loads(options.out.read_text()) if options.out.exists() else []
    known = [one for one in known if one["model"] != made["model"]]
    options.out.write_text(json.dumps([*known, made], indent=1, ensure_ascii=False) + "\n")
    print(json.dumps(made, indent=1, ensure_ascii=False))


def _guarded(url: str, options: argparse.Namespace) -> dict[str, Any]:
    """Both runs, as the command makes them; the figures of each."""
    runs = Path(options.runs)
    words = ["probe", "guarded", url, "--model", "local", "--suite", "quick", "--limit", str(options.limit), "--max-tokens", "96"]
    words += ["--timeout", "300", "-c", "2", "-y", "--exit-zero", "--no-store", "--runs", str(runs), "-o", str(options.report)]
    begun = time.monotonic()
    subprocess.run([sys.executable, "-m", "hauberk", *words], check=True)
    folders = sorted(runs.iterdir(), key=lambda one: one.stat().st_mtime)[-2:]
    sides = {side: _figures(folder.name, runs) for side, folder in zip(("without", "with"), folders, strict=True)}
    return {**sides, "seconds": round(time.monotonic() - begun)}


def _figures(run: str, runs: Path) -> dict[str, Any]:
    said = subprocess.run(
        [sys.executable, "-m", "hauberk", "probe", "report", run, "--runs", str(runs), "-f", "json", "--exit-zero"],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    graded = json.loads(said)["graded"]
    return {
        "attack_success": graded["overall"],
        "over_refusal": graded["over_refusal"]["true"],
        "outcomes": graded["outcomes"],
        "not_assessable": graded["not_assessable"],
        "requests": graded["requests"],
        "inconclusive": graded["inconclusive"],
    }


def _options() -> argparse.Namespace:
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf", type=Path, help="the model's file (default: SmolLM2, fetched)")
    parser.add_argument("--name", help="its name in the results")
    parser.add_argument("--python", type=Path, help="a Python that has xllamacpp (default: .cache/llm/venv)")
    parser.add_argument("--threads", type=int, default=1, help="of the model's server")
    parser.add_argument("--limit", type=int, default=120, help="attack cases; their harmless twins come on top")
    parser.add_argument("--runs", default=str(ROOT / ".hauberk" / "probe-local"))
    parser.add_argument("--report", type=Path, default=ROOT / "demo-out" / "probe.html")
    parser.add_argument("--out", type=Path, default=here / "results.json")
    options = parser.parse_args()
    options.report.parent.mkdir(parents=True, exist_ok=True)
    Path(options.runs).mkdir(parents=True, exist_ok=True)
    return options


if __name__ == "__main__":
    main()
