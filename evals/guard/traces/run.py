"""Token limits on a burst and on recorded traffic, beside counting afterwards; and the extraction rule on simulated sweeps.

python evals/guard/traces/run.py [--data ../shared/data] [--json evals/guard/traces/results.json]
"""

import argparse
import csv
import gzip
import json
import sys
from datetime import datetime
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parent))
from measures import shares
from replay import Request, post_hoc, queueing, reserved
from sweeps import extraction

from hauberk.guard.limits.settings import Reserve

HERE = Path(__file__).parent


def azure(path: Path) -> list[Request]:
    with path.open() as file:
        rows = list(csv.DictReader(file))
    times = [datetime.fromisoformat(row["TIMESTAMP"][:26]) for row in rows]
    return [
        Request((at - times[0]).total_seconds(), int(row["ContextTokens"]), int(row["GeneratedTokens"]), 2_048)
        for at, row in zip(times, rows, strict=True)
    ]


def mooncake(path: Path) -> list[Request]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [Request(r["timestamp"] / 1_000, r["input_length"], r["output_length"], 2_048) for r in rows]


def burst() -> dict[str, object]:
    """200 requests of 4,000 + 1,000 tokens at once against 100,000 a minute."""
    found: dict[str, object] = {}
    for name, most in (("max_tokens told", 1_000), ("max_tokens not told", None), ("max_tokens far too high", 8_000)):
        requests = [Request(0.001 * n, 4_000, 1_000, most) for n in range(200)]
        found[name] = {
            "post-hoc": shares(requests, post_hoc(requests, 100_000), 100_000),
            "reserve, no queue": shares(requests, reserved(requests, 100_000, queueing(0.0)), 100_000),
            "reserve, 120 s queue": shares(requests, reserved(requests, 100_000, queueing(120.0)), 100_000),
        }
    return found


def trace(requests: list[Request], half: float) -> dict[str, object]:
    """A limit of `half` of the trace's mean demand, but never below its largest request."""
    span = max(r.at for r in requests)
    limit = max(int(half * 60 * sum(r.tokens for r in requests) / span), max(r.tokens for r in requests) + 1_024)
    return {
        "limit": limit,
        "post-hoc": shares(requests, post_hoc(requests, limit), limit),
        "reserve, no queue": shares(requests, reserved(requests, limit, queueing(0.0)), limit),
        "reserve max_tokens, 10 s queue": shares(
            requests, reserved(requests, limit, msgspec.structs.replace(queueing(10.0), reserve=Reserve.MAXIMUM)), limit
        ),
        "reserve, 10 s queue": shares(requests, reserved(requests, limit, queueing(10.0)), limit),
        "reserve, 60 s queue": shares(requests, reserved(requests, limit, queueing(60.0)), limit),
    }


def ordinary(folder: Path) -> dict[str, list[str]]:
    """Texts of label 0 by source, of sources large enough to draw windows from."""
    pools: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt") as file:
            texts = [row["text"] for row in map(json.loads, file) if row["label"] == 0]
        if len(texts) >= 300:
            pools[path.name.partition(".")[0]] = texts
    return pools


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=HERE.parents[2].parent / "shared" / "data")
    parser.add_argument("--json", type=Path, default=HERE / "results.json")
    options = parser.parse_args()
    traces = options.data / "traces"
    results: dict[str, object] = {"burst": burst()}
    for name, requests in (
        ("azure conversation", azure(traces / "azure_llm" / "conv.csv")),
        ("azure code", azure(traces / "azure_llm" / "code.csv")),
        ("mooncake conversation", mooncake(traces / "mooncake" / "conversation_trace.jsonl")),
        ("mooncake synthetic", mooncake(traces / "mooncake" / "synthetic_trace.jsonl")),
    ):
        results[name] = trace(sorted(requests, key=lambda r: r.at), 0.5)
        print(name, json.dumps(results[name], indent=1))
    results["extraction (simulated)"] = extraction(ordinary(options.data / "guard" / "train"))
    options.json.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps({name: results[name] for name in ("burst", "extraction (simulated)")}, indent=1))


if __name__ == "__main__":
    main()
