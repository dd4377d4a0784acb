"""What a judgement costs: latency by length and language on one core, and the share that each stage settles.

    python bench/detect.py                     # prints a table
    python bench/detect.py --rounds 3 -o bench/detect.json

The texts are ordinary requests and documents; a text counts once a round, in a new order. Times are of the whole judgement,
normaliser included; the first calls, which load the models, are left out.
"""

import argparse
import json
import platform
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from evals.guard.run import ROOT, texts  # noqa: E402 - after the path

CHAT = (
    ("en", "eval/dolly_benign", 700),
    ("en", "train/lf_alpaca_en", 700),
    ("zh", "train/lf_alpaca_zh", 250),
    ("zh", "train/cmmlu_zh", 250),
)
"""Language, set, and the longest text in characters: about 200 tokens."""
LONG = 8000  # characters: about 2,000 tokens


def pools(root: Path) -> dict[str, list[tuple[str, str]]]:
    """Texts with their roles by group."""
    found: dict[str, list[tuple[str, str]]] = {}
    for lang, file, longest in CHAT:
        kept = [text for text in texts(root, file, 0, "", 1500) if len(text) <= longest]
        found.setdefault(f"chat {lang}", []).extend((text, "user") for text in kept)
    joined = " ".join(texts(root, "train/lf_docs", 0, "", 400))
    found["documents en, 2,000 tokens"] = [(joined[start : start + LONG], "document") for start in range(0, LONG * 60, LONG)]
    return found


def measured(items: list[tuple[str, str]], rounds: int) -> dict[str, Any]:
    """Milliseconds at the 50th and 99th percentile, and the share settled by stage 1."""
    from hauberk.assets.chat import MessageContent, Role
    from hauberk.detect.prompt import judge

    judged = judge()
    for text, role in items[:20]:
        judged.judge(MessageContent(text, Role(role)))
    times: list[float] = []
    first = 0
    for turn in range(rounds):
        for text, role in random.Random(turn).sample(items, len(items)):  # noqa: S311 - a seed makes it repeatable
            begun = time.perf_counter()
            made = judged.judge(MessageContent(text, Role(role)))
            times.append((time.perf_counter() - begun) * 1000)
            first += made.stage == 1
    cuts = statistics.quantiles(times, n=100)
    return {
        "texts": len(items),
        "p50_ms": round(cuts[49], 3),
        "p99_ms": round(cuts[98], 3),
        "stage_1": round(first / len(times), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    result = {"machine": f"{platform.machine()}, Python {platform.python_version()}", "groups": {}}
    for name, items in pools(options.root).items():
        result["groups"][name] = row = measured(items, options.rounds)
        speed = f"p50 {row['p50_ms']:8.3f} ms  p99 {row['p99_ms']:8.3f} ms"
        print(f"{name:28} n={row['texts']:5} {speed}  stage 1 settles {row['stage_1']:.0%}")
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
