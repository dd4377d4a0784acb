"""Detection on the model corpus: caught, false alarms, holds, gaps, per technique. Never loads a sample.

    python evals/models/run.py CORPUS_DIR [--format pickle] [--technique x] [--misses] [--json OUT]

CORPUS_DIR holds manifest.json (samples: path, kind, format, label, technique, class). The reference policy decides.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

_state: dict[str, Any] = {}
Sample = dict[str, Any]
Outcome = dict[str, Any]


def scan(path: str) -> Outcome:
    """What Hauberk says of one file or directory."""
    from hauberk.core import Finding
    from hauberk.detect import Bench
    from hauberk.policy import DEFAULT_POLICY, decide
    from hauberk.rules import load_pack
    from hauberk.scan.examine import examine_file, examine_unit
    from hauberk.scan.options import ScanOptions
    from hauberk.scan.walk import Walker

    bench = _state.setdefault("bench", Bench(load_pack().rules))
    started = time.process_time()
    options = ScanOptions()
    try:
        walker = Walker()
        walker.add(path)
        seen = [examine_unit(unit, bench, options) for unit in walker.units]
        seen += [examine_file(entry, bench, options) for entry in walker.entries]
    except BaseException:
        return {"verdict": "crash", "error": traceback.format_exc(), "findings": [], "gaps": [], "seconds": 0}
    items = [*walker.gaps, *(i for e in seen for i in (*e.findings, *e.gaps))]
    findings = [i for i in items if isinstance(i, Finding)]
    gaps = [i for i in items if not isinstance(i, Finding)]
    return {
        "verdict": str(decide(DEFAULT_POLICY, findings, gaps).admission),
        "findings": [(f.rule, str(f.severity), str(f.confidence), f.message[:160], f.asset[-60:]) for f in findings],
        "gaps": [(str(g.reason), g.note[:160]) for g in gaps],
        "seconds": time.process_time() - started,
    }


def _show(sample: Sample, outcome: Outcome) -> None:
    kind = f"{sample['label']} {sample['format']}/{sample['technique']} [{sample['class']}]"
    print(f"{sample['id']} {kind} -> {outcome['verdict']} ({outcome['seconds']:.2f}s): {sample['why'][:140]}")
    for finding in outcome["findings"][:8]:
        print("     finding", *finding)
    for gap in outcome["gaps"][:6]:
        print("     gap", *gap)
    if "error" in outcome:
        print("     " + outcome["error"].replace("\n", "\n     "))


def _is_wrong(sample: Sample, outcome: Outcome) -> bool:
    broke = outcome["verdict"] == "crash" or any(reason == "detector-error" for reason, _ in outcome["gaps"])
    return broke or (outcome["verdict"] == "admit") == (sample["label"] == "malicious")


def _summary(pairs: list[tuple[Sample, Outcome]]) -> None:
    table: dict[tuple[str, str, str], collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for sample, outcome in pairs:
        table[sample["label"], sample["format"], sample["technique"]][outcome["verdict"]] += 1
    print("-- per technique (admit/hold/block/crash)")
    for (label, fmt, technique), c in sorted(table.items()):
        print(f"{label:9} {fmt:14} {technique:30} {c['admit']:4} {c['hold']:4} {c['block']:4} {c['crash']:4}")
    for label in ("malicious", "benign"):
        outcomes = [outcome for sample, outcome in pairs if sample["label"] == label]
        if not outcomes:
            continue
        counts = collections.Counter(outcome["verdict"] for outcome in outcomes)
        shares = ", ".join(
            f"{verdict} {counts[verdict]} = {counts[verdict] / len(outcomes):.1%}" for verdict in ("block", "hold", "admit")
        )
        caught = (counts["block"] + counts["hold"]) / len(outcomes)
        silent = sum(o["verdict"] == "admit" and not o["findings"] and not o["gaps"] for o in outcomes)
        errors = sum(any(reason == "detector-error" for reason, _ in o["gaps"]) for o in outcomes)
        tail = f"block or hold {caught:.1%}, nothing said of {silent}, crashes {counts['crash']}, reader errors {errors}"
        print(f"{label} {len(outcomes)}: {shares}; {tail}")
    print(f"slowest {max((outcome['seconds'] for _, outcome in pairs), default=0):.1f} s CPU")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--format", action="append", default=[])
    parser.add_argument("--technique", action="append", default=[])
    parser.add_argument("--id", action="append", default=[])
    parser.add_argument("--misses", action="store_true", help="list malicious admitted, benign held or blocked")
    parser.add_argument("--all", action="store_true", help="list every sample with what was said of it")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    wanted = {key: set(getattr(options, key)) for key in ("format", "technique", "id")}
    samples: list[Sample] = [
        sample
        for sample in json.loads((options.corpus / "manifest.json").read_text())["samples"]
        if all(not values or sample[key] in values for key, values in wanted.items())
    ]
    paths = [str(options.corpus / sample["path"]) for sample in samples]
    if options.jobs == 1:
        outcomes = [scan(path) for path in paths]
    else:
        with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
            outcomes = list(pool.map(scan, paths, chunksize=8))
    pairs = list(zip(samples, outcomes, strict=True))
    for sample, outcome in pairs:
        if options.all or (options.misses and _is_wrong(sample, outcome)):
            _show(sample, outcome)
    _summary(pairs)
    if options.json:
        options.json.write_text(json.dumps([{**sample, **outcome} for sample, outcome in pairs], indent=0))
    return 0


if __name__ == "__main__":
    sys.exit(main())
