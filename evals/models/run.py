"""Detection on the model corpus: caught, false alarms, holds, gaps, per technique. Never loads a sample.

    python evals/models/run.py CORPUS_DIR [--format pickle] [--technique x] [--misses] [--json OUT]

CORPUS_DIR holds manifest.json (samples: path, kind, format, label, technique, class).
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

_state: dict[str, object] = {}


def _scan(path: str) -> dict[str, object]:
    from hauberk.core import Finding
    from hauberk.detect import Bench
    from hauberk.policy import DEFAULT_POLICY, decide
    from hauberk.rules import load_pack
    from hauberk.scan.examine import examine_file, examine_unit
    from hauberk.scan.options import ScanOptions
    from hauberk.scan.walk import Walker

    bench = _state.setdefault("bench", Bench(load_pack().rules))
    started = time.process_time()
    try:
        options = ScanOptions(hashing=os.environ.get("EVAL_HASH") == "1")
        walker = Walker()
        walker.add(path)
        seen = [examine_unit(unit, bench, options) for unit in walker.units]
        seen += [examine_file(entry, bench, options) for entry in walker.entries]
        items = [*walker.gaps, *(i for e in seen for i in (*e.findings, *e.gaps))]
    except BaseException:
        return {"path": path, "verdict": "crash", "error": traceback.format_exc(), "findings": [], "gaps": [], "seconds": 0}
    findings = [i for i in items if isinstance(i, Finding)]
    gaps = [i for i in items if not isinstance(i, Finding)]
    verdict = decide(DEFAULT_POLICY, findings, gaps)
    return {
        "path": path,
        "verdict": str(verdict.admission),
        "findings": [(f.rule, str(f.severity), str(f.confidence), f.message[:160], f.asset[-60:]) for f in findings],
        "gaps": [(str(g.reason), g.note[:120]) for g in gaps],
        "seconds": time.process_time() - started,
    }


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--format", action="append", default=[])
    parser.add_argument("--technique", action="append", default=[])
    parser.add_argument("--id", action="append", default=[])
    parser.add_argument("--misses", action="store_true", help="list malicious admitted, benign held or blocked")
    parser.add_argument("--all", action="store_true", help="list every sample with what was said of it")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    samples = json.loads((options.corpus / "manifest.json").read_text())["samples"]
    samples = [
        s
        for s in samples
        if (not options.format or s["format"] in options.format)
        and (not options.technique or s["technique"] in options.technique)
        and (not options.id or s["id"] in options.id)
    ]
    paths = [str(options.corpus / s["path"]) for s in samples]
    if options.jobs == 1:
        results = [_scan(path) for path in paths]
    else:
        with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
            results = list(pool.map(_scan, paths, chunksize=8))
    counts = collections.Counter()
    table: dict[tuple[str, str, str], collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for sample, result in zip(samples, results, strict=True):
        label, verdict = sample["label"], result["verdict"]
        counts[label, verdict] += 1
        table[label, sample["format"], sample["technique"]][verdict] += 1
        wrong = verdict == "crash" or (label == "malicious" and verdict == "admit") or (label == "benign" and verdict != "admit")
        if options.all or (options.misses and wrong):
            print(
                f"{sample['id']} {label} {sample['format']}/{sample['technique']} [{sample['class']}] -> {verdict} ({result['seconds']:.2f}s): {sample['why'][:140]}"
            )
            for finding in result["findings"][:8]:
                print("     finding", *finding)
            for gap in result["gaps"][:6]:
                print("     gap", *gap)
            if "error" in result:
                print("     " + str(result["error"]).replace("\n", "\n     "))
    print("-- per technique (admit/hold/block/crash)")
    for (label, fmt, technique), c in sorted(table.items()):
        print(f"{label:9} {fmt:14} {technique:30} {c['admit']:4} {c['hold']:4} {c['block']:4} {c['crash']:4}")
    bad = sum(n for (label, _), n in counts.items() if label == "malicious")
    good = sum(n for (label, _), n in counts.items() if label == "benign")
    silent = sum(
        1
        for s, r in zip(samples, results, strict=True)
        if r["verdict"] == "admit" and not r["findings"] and not r["gaps"] and s["label"] == "malicious"
    )
    if bad:
        caught = counts["malicious", "block"] + counts["malicious", "hold"]
        print(
            f"malicious {bad}: caught {caught} = {caught / bad:.1%} (block {counts['malicious', 'block'] / bad:.1%}); crash {counts['malicious', 'crash']}; silent {silent}"
        )
    if good:
        print(
            f"benign {good}: block {counts['benign', 'block']} = {counts['benign', 'block'] / good:.1%}, hold {counts['benign', 'hold']} = {counts['benign', 'hold'] / good:.1%}; crash {counts['benign', 'crash']}"
        )
    print(f"slowest {max((r['seconds'] for r in results), default=0):.1f} s CPU")
    if options.json:
        options.json.write_text(
            json.dumps(
                [{**s, **{k: v for k, v in r.items() if k != "path"}} for s, r in zip(samples, results, strict=True)], indent=0
            )
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
