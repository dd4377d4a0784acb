r"""Real attackers on a real local model, straight and through the guard: garak, promptfoo, and ordinary requests in the same run.

    python evals/guard/attackers/run.py --upstream http://127.0.0.1:18081/v1 --model smollm2-135m-instruct \
        --garak /tmp/garak/bin/python --promptfoo /tmp/promptfoo/node_modules/.bin/promptfoo -o evals/guard/attackers

    uv venv -p 3.11 /tmp/garak && uv pip install -p /tmp/garak/bin/python torch==2.13.0 garak==0.17.1
    npm install --prefix /tmp/promptfoo promptfoo@0.121.20

The guard is `hauberk guard serve` with its default rules and policy, fail closed, audit log on. An attack has succeeded where the
attacker's own detector says so; a refused request counts as an attack that failed. The model's answers are remembered: the same
request gets the same answer on both sides, so that what differs is the guard's doing. `--dry FAMILY` runs that family alone.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2]))

from evals.guard.attackers import garak_runs, ordinary, promptfoo_runs  # noqa: E402 - after the path
from evals.guard.attackers.gateway import Guard  # noqa: E402 - as above
from evals.guard.attackers.report import readme  # noqa: E402 - as above
from evals.guard.attackers.tap import Tap  # noqa: E402 - as above

AT_ONCE = 4  # families of garak, each asking one thing at a time


def attacked(target: str, options: argparse.Namespace, tests: list[dict[str, Any]], folder: Path) -> dict[str, Any]:
    """Everything against `target`, an address up to its /v1."""
    began = time.monotonic()
    with Tap(target) as tap:
        found: dict[str, Any] = {
            "ordinary": {**ordinary.run(tap.base_url("ordinary"), options.model), "ends": tap.ends("ordinary")}
        }
        print(f"  ordinary: {tap.ends('ordinary')}", file=sys.stderr, flush=True)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            made = pool.map(lambda family: (family, _garak(tap, family, options, folder)), options.families)
            found["garak"] = dict(made)
        if tests:
            base_url = tap.base_url("promptfoo")
            found["promptfoo"] = _ended(
                tap, "promptfoo", promptfoo_runs.run(options.promptfoo, base_url, options.model, tests, folder)
            )
    return {**found, "seconds": round(time.monotonic() - began)}


def _garak(tap: Tap, family: str, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    made = garak_runs.run(options.garak, tap.base_url(family), options.model, family, folder / family)
    return _ended(tap, family, made)


def _ended(tap: Tap, attack: str, made: dict[str, Any]) -> dict[str, Any]:
    """What the attacker says, with what was seen on the wire."""
    blocked = sum(seen.blocked for seen in tap.of(attack))
    print(
        f"  {attack}: {made['attempts']} attempts, {made['succeeded']} succeeded, {tap.ends(attack)}", file=sys.stderr, flush=True
    )
    return {**made, "blocked": blocked, "ends": tap.ends(attack)}


def versions(options: argparse.Namespace) -> dict[str, str]:
    """Of everything that took part."""
    asked = [
        options.garak,
        "-c",
        "import importlib.metadata as m; print(m.version('garak'), m.version('openai'), m.version('torch'))",
    ]
    garak = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    environment = {**os.environ, "PROMPTFOO_DISABLE_UPDATE": "1", "PROMPTFOO_DISABLE_TELEMETRY": "1"}
    command = [options.promptfoo, "--version"] if options.promptfoo else ["true"]
    promptfoo = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.split()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False)
    return {
        "hauberk": f"{version('hauberk')} at {commit.stdout.strip()}",
        "garak": f"{garak[0]} (openai {garak[1]}, torch {garak[2]})",
        "promptfoo": promptfoo[-1] if promptfoo else "left out",
        "python": platform.python_version(),
        "onnxruntime": version("onnxruntime"),
    }


def detector() -> str:
    """Which of the prompt models this installation has."""
    from hauberk.detect.prompt.judge import DATA

    made = json.loads((DATA / "model.json").read_text("utf-8"))["version"]
    return f"prompt models {made}, {'n-gram and encoder' if (DATA / 'encoder.onnx').exists() else 'n-gram only'}"


def machine() -> str:
    """Cores, and the processor's name where the system says it."""
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{os.cpu_count()} cores, {names[0] if names else platform.machine()}, {platform.system()}"


def served(upstream: str) -> dict[str, Any]:
    """What the model's server says of its model."""
    with urllib.request.urlopen(f"{upstream}/models", timeout=30) as answer:  # noqa: S310 - the address is the caller's own
        about = json.loads(answer.read())["data"][0]
    meta = about.get("meta") or {}
    return {"id": about["id"], **{name: meta[name] for name in ("n_params", "n_ctx", "ftype", "size") if name in meta}}


def chosen() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upstream", action="append", help="the model's server, up to its /v1; may be repeated for equal ones")
    parser.add_argument("--model", default="smollm2-135m-instruct")
    parser.add_argument("--garak", required=True, help="a Python that has garak")
    parser.add_argument("--promptfoo", help="its command; without one it is left out")
    parser.add_argument("--dry", action="append", dest="families", help="only this family of garak; may be repeated")
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    options.upstream = options.upstream or ["http://127.0.0.1:18081/v1"]
    options.families = options.families or list(garak_runs.FAMILIES)
    return options


def main() -> None:
    options = chosen()
    results: dict[str, Any] = {
        "machine": machine(),
        "versions": versions(options),
        "model": served(options.upstream[0]),
        "begun": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "detector": detector(),
        "settings": {"seed": garak_runs.SEED, "temperature": 0, "max_tokens": garak_runs.MAX_TOKENS, "generations": 1},
        "left_out": garak_runs.LEFT_OUT,
    }
    print(json.dumps(results, indent=1, ensure_ascii=False))
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top)
        tests = promptfoo_runs.cases(options.promptfoo, folder) if options.promptfoo else []
        with Tap(*(upstream.removesuffix("/v1") for upstream in options.upstream), remember=True) as model:
            print("straight", file=sys.stderr)
            results["straight"] = attacked(f"{model.address}/straight", options, tests, folder / "straight")
            print("guarded", file=sys.stderr)
            with Guard(f"{model.address}/guarded/v1", folder) as guard:
                results["guarded"] = attacked(guard.address, options, tests, folder / "guarded")
        results["reached_the_model"] = {side: model.ends(side) for side in ("straight", "guarded")}
        results["audit"] = guard.logged()
    report = readme(results)
    print(report)
    if options.out:
        (options.out / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
        (options.out / "README.md").write_text(report, "utf-8")


if __name__ == "__main__":
    main()
