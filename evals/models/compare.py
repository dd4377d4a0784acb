"""Hauberk and the peers over one corpus in one run; writes the summary the README's table is made from.

    python evals/models/compare.py CORPUS --peers DIR [--out evals/models/results.json]

DIR holds one virtual environment a peer (see bench/scan.py). Every scanner sees every sample, its own tests' files included.
"""

import argparse
import collections
import datetime as dt
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PEERS = ("picklescan", "picklescan-strict", "modelscan", "fickling", "modelaudit")


def _hauberk(corpus: Path, folder: Path) -> dict[str, str]:
    out = folder / "hauberk.json"
    subprocess.run([sys.executable, HERE / "run.py", corpus, "--json", out], check=True, stdout=subprocess.DEVNULL)
    words = {"block": "bad", "hold": "warned", "crash": "error"}
    outcomes = {}
    for sample in json.loads(out.read_text()):
        unread = sample["verdict"] == "admit" and sample["gaps"]
        outcomes[sample["id"]] = "unread" if unread else words.get(sample["verdict"], "clean")
    return outcomes


def _rates(outcomes: dict[str, str], samples: dict[str, dict[str, str]]) -> dict[str, dict[str, int]]:
    rates: dict[str, dict[str, int]] = {}
    for label in ("malicious", "benign"):
        ids = [i for i, s in samples.items() if s["label"] == label]
        rates[label] = {"samples": len(ids), **collections.Counter(outcomes[i] for i in ids)}
    return rates


def _techniques(outcomes: dict[str, str], samples: dict[str, dict[str, str]]) -> dict[str, dict[str, int]]:
    table: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for name, sample in samples.items():
        table[f"{sample['label']}/{sample['format']}/{sample['technique']}"][outcomes[name]] += 1
    return {key: dict(table[key]) for key in sorted(table)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--peers", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=HERE / "results.json")
    options = parser.parse_args()
    from hauberk import __version__

    samples = {s["id"]: s for s in json.loads((options.corpus / "manifest.json").read_text())["samples"]}
    scanners: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as folder:
        outcomes = _hauberk(options.corpus, Path(folder))
        scanners["hauberk"] = {"version": __version__, **_rates(outcomes, samples)}
        techniques = _techniques(outcomes, samples)
        for peer in PEERS:
            python = options.peers / peer.removesuffix("-strict") / "bin" / "python"
            if not python.exists():
                print(f"{peer}: no environment, left out", file=sys.stderr)
                continue
            out = Path(folder, f"{peer}.json")
            subprocess.run([python, HERE / "peer.py", peer, options.corpus, out], check=True, stderr=subprocess.DEVNULL)
            said = json.loads(out.read_text())
            scanners[peer] = {"version": said["version"], **_rates(said["outcomes"], samples)}
    machine = f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    summary = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": machine,
        "scanners": scanners,
        "techniques": techniques,
    }
    options.out.write_text(json.dumps(summary, indent=1) + "\n")
    for name, row in scanners.items():
        print(name, row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
