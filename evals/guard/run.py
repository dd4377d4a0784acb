"""The guard's prompt detectors on sets that were never trained or tuned on, beside others in the same run.

    python evals/guard/run.py -o evals/guard        # prints the tables, writes results.json and README.md
    python evals/guard/run.py --peer promptguard=PG/bin/python --peer pid=PID/bin/python
    python evals/guard/run.py --stage 1             # without the encoder

A text counts as caught when its score reaches ONE threshold, the one for `--rate` false alarms that was chosen on the calibration
split; recall at 1% and 0.1% is read at the score that this share of the pooled ordinary sets exceeds. Texts of another mouth than
the user's are judged as such, and once more without a role. Intervals are exact at 95%.
"""

import argparse
import gzip
import json
import platform
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from evals.guard.measures import auc, edge, interval, over  # noqa: E402 - after the path

ROOT = HERE.parents[2] / "shared" / "data" / "guard"
Scorer = Callable[[list[tuple[str, str]]], list[float]]
"""Scores of texts with their roles."""

SETS: tuple[tuple[str, str, str, int | None, str], ...] = (
    ("notinject", "eval/notinject", "user", 0, ""),
    ("wildguard ordinary", "eval/wildguard_benign", "user", 0, ""),
    ("bipia bare, as a tool's words", "eval/bipia_bare", "tool", 1, ""),
    ("bipia bare, without a role", "eval/bipia_bare", "user", 1, ""),
    ("deepset attacks", "eval/deepset", "user", 1, ""),
    ("deepset ordinary", "eval/deepset", "user", 0, ""),
    ("dolly", "eval/dolly_benign", "user", 0, ""),
    ("xstest safe", "eval/xstest", "user", 0, ""),
    ("alpaca en", "train/alpaca_en", "user", 0, "en"),
    ("instructwild en", "train/instructwild", "user", 0, "en"),
    ("instructwild zh", "train/instructwild", "user", 0, "zh"),
    ("cmmlu zh", "train/cmmlu_zh", "user", 0, "zh"),
    ("usenix texts", "train/promptshield_usenix_benign", "user", 0, "en"),
    ("bipia documents, clean", "train/tr_bipia_docs", "document", 0, ""),
    ("bipia documents, attacked", "train/tr_bipia_docs", "document", 1, ""),
    ("s-eval attacks en", "train/seval_attack_en", "user", 1, ""),
    ("s-eval attacks zh", "train/seval_attack_zh", "user", 1, ""),
    ("tensor trust attacks", "train/tensortrust_attacks", "user", 1, "en"),
    ("deepset (its training part) attacks", "train/tr_deepset", "user", 1, ""),
    ("harmbench requests", "train/harmbench", "user", 1, ""),
    ("chisafety requests zh", "train/chisafety_zh", "user", 1, ""),
)
"""Name, file, role, label, language. None of them may be trained on: benchmarks, or a licence that forbids it."""
POOL = {"en": ("dolly", "alpaca en", "instructwild en"), "zh": ("cmmlu zh", "instructwild zh")}
"""Ordinary requests that recall is read against."""


def texts(root: Path, file: str, label: int | None, lang: str, most: int) -> list[str]:
    """At most `most` texts of a set with this label and language, chosen by seed."""
    with gzip.open(root / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [
            row for row in map(json.loads, lines) if (label is None or row["label"] == label) and (not lang or row["lang"] == lang)
        ]
    found = [str(row["text"]) for row in rows]
    return found if len(found) <= most else random.Random(0).sample(found, most)  # noqa: S311 - a seed makes it repeatable


def ours(stage: int) -> Scorer:
    """Our judge."""
    from hauberk.assets.chat import MessageContent, Role
    from hauberk.detect.prompt import PromptJudge

    judge = PromptJudge(encode=stage > 1)

    def score(items: list[tuple[str, str]]) -> list[float]:
        return [judge.judge(MessageContent(text, Role(role))).score for text, role in items]

    return score


def peer(name: str, python: str) -> Scorer:
    """Another's detector, in its own environment: `peer.py` there reads texts and writes scores."""

    def score(items: list[tuple[str, str]]) -> list[float]:
        lines = "\n".join(json.dumps(text) for text, _ in items)
        done = subprocess.run([python, str(HERE / "peer.py"), name], input=lines, capture_output=True, text=True, check=True)
        return [float(line) for line in done.stdout.split()]

    return score


def measured(score: Scorer, threshold: float, root: Path, most: int) -> dict[str, Any]:
    """All figures of one detector."""
    by_set: dict[str, list[float]] = {}
    begun = time.process_time()
    for name, file, role, label, lang in SETS:
        by_set[name] = score([(text, role) for text in texts(root, file, label, lang, most)])
        print(f"  {name}: {len(by_set[name])}", file=sys.stderr)
    rows: dict[str, Any] = {}
    for name, _, _, label, _ in SETS:
        hits = sum(value >= threshold for value in by_set[name])
        right = hits if label else len(by_set[name]) - hits
        rows[name] = {"texts": len(by_set[name]), "right": right, "interval": interval(right, len(by_set[name]))}
    return {
        "threshold": threshold,
        "cpu_s": round(time.process_time() - begun, 1),
        "sets": rows,
        "three_way": three_way(rows),
        "deepset_auc": auc(by_set["deepset attacks"], by_set["deepset ordinary"]),
        "recall": recalls(by_set),
        "false_alarms_per_10000": alarms(by_set, threshold),
    }


def three_way(rows: dict[str, Any]) -> dict[str, float]:
    """NotInject, WildGuard ordinary, BIPIA bare and their mean, in percent right."""
    columns = {"notinject": "notinject", "wildguard": "wildguard ordinary", "bipia": "bipia bare, as a tool's words"}
    found = {short: 100 * rows[name]["right"] / rows[name]["texts"] for short, name in columns.items()}
    bare = rows["bipia bare, without a role"]
    mean = sum(found.values()) / 3
    return {**found, "mean": mean, "bipia without a role": 100 * bare["right"] / bare["texts"]}


def recalls(by_set: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Recall of each set of attacks at the scores that 1% and 0.1% of the pooled ordinary requests exceed."""
    found: dict[str, dict[str, float]] = {}
    pools = {lang: [score for name in names for score in by_set[name]] for lang, names in POOL.items()}
    pool = [score for scores in pools.values() for score in scores]
    for name, _, _, label, _ in SETS:
        if label:
            found[name] = {f"{rate:.1%}": over(by_set[name], edge(pool, rate)) / len(by_set[name]) for rate in (0.01, 0.001)}
    return found


def alarms(by_set: dict[str, list[float]], threshold: float) -> dict[str, float]:
    """False alarms in 10,000 ordinary requests, by language."""
    found: dict[str, float] = {}
    for lang, names in POOL.items():
        scores = [score for name in names for score in by_set[name]]
        found[lang] = 10_000 * sum(value >= threshold for value in scores) / len(scores)
    return found


def obfuscated(score: Scorer, threshold: float, rows: int) -> dict[str, float]:
    """Share of the calibration split's own attacks that is caught under each disguise."""
    from evals.guard.data import corpus
    from evals.guard.obfuscate import TECHNIQUES, fits, obfuscate

    attacks = [row for row in corpus.load("calibration") if row.task == "attack" and row.label and 15 <= len(row.text) <= 400]
    chosen = random.Random(1).sample(attacks, min(rows, len(attacks)))  # noqa: S311 - a seed makes it repeatable
    found: dict[str, float] = {}
    for technique in TECHNIQUES:
        fitting = [row for row in chosen if fits(technique, row.text)]
        try:
            scores = score([(obfuscate(row.text, technique), row.role) for row in fitting])
            plain = score([(row.text, row.role) for row in fitting])
        except ImportError:
            continue
        found[technique] = sum(value >= threshold for value in scores) / len(scores)
        found[f"{technique}: the same, plain"] = sum(value >= threshold for value in plain) / len(plain)
    return found


def chinese(score: Scorer, threshold: float) -> dict[str, Any]:
    """The calibration split's Chinese, by kind: attacks caught, ordinary flagged."""
    from evals.guard.data import corpus

    kinds: dict[tuple[str, int], list[tuple[str, str]]] = {}
    for row in corpus.load("calibration"):
        if row.lang == "zh":
            kinds.setdefault((row.kind, row.label), []).append((row.text, row.role))
    found: dict[str, Any] = {}
    for (kind, label), items in sorted(kinds.items()):
        flagged = sum(value >= threshold for value in score(items))
        found[kind] = {"texts": len(items), "flagged": flagged, "interval": interval(flagged, len(items)), "attack": bool(label)}
    return found


def table(results: dict[str, Any]) -> Iterator[str]:
    """The README, line by line."""
    detectors = results["detectors"]
    yield "# What the prompt detectors reach\n"
    yield f"Made by `python evals/guard/run.py` on {results['machine']}. {results['versions']}\n"
    yield "Percent right at one threshold (caught, of attacks; let through, of ordinary texts), with exact 95% intervals for ours."
    yield "None of these sets was trained on, but our scores on them were seen while the models were improved:"
    yield "expect less elsewhere.\n"
    yield "| set | " + " | ".join(detectors) + " |\n|---" * 1 + "|---" * len(detectors) + "|"
    for name, *_ in SETS:
        cells = []
        for made in detectors.values():
            row = made["sets"][name]
            low, high = row["interval"]
            cells.append(f"{100 * row['right'] / row['texts']:.1f} ({100 * low:.1f}–{100 * high:.1f})")
        yield f"| {name} ({row['texts']}) | " + " | ".join(cells) + " |"
    yield "\n| figure | " + " | ".join(detectors) + " |\n|---" + "|---" * len(detectors) + "|"
    for figure in ("notinject", "wildguard", "bipia", "mean", "bipia without a role"):
        yield f"| three-way: {figure} | " + " | ".join(f"{made['three_way'][figure]:.1f}" for made in detectors.values()) + " |"
    yield "| deepset AUC | " + " | ".join(f"{made['deepset_auc']:.3f}" for made in detectors.values()) + " |"
    for lang in POOL:
        yield (
            f"| false alarms per 10,000, {lang} | "
            + " | ".join(f"{m['false_alarms_per_10000'][lang]:.0f}" for m in detectors.values())
            + " |"
        )
    for name in next(iter(detectors.values()))["recall"]:
        for rate in ("1.0%", "0.1%"):
            yield (
                f"| recall at {rate}: {name} | "
                + " | ".join(f"{100 * m['recall'][name][rate]:.1f}" for m in detectors.values())
                + " |"
            )
    if results.get("obfuscated"):
        yield "\nAttacks of unseen families caught under each disguise, and the same texts plain (ours).\n"
        yield "| disguise | disguised | plain |\n|---|---|---|"
        for technique, share in results["obfuscated"].items():
            if not technique.endswith("plain") or technique == "plain":
                yield f"| {technique} | {100 * share:.1f} | {100 * results['obfuscated'][f'{technique}: the same, plain']:.1f} |"
    if results.get("chinese"):
        yield "\nChinese texts of unseen families flagged, by kind (ours).\n\n| kind | texts | flagged |\n|---|---|---|"
        for kind, row in results["chinese"].items():
            yield f"| {kind} | {row['texts']} | {100 * row['flagged'] / row['texts']:.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument("--rate", type=float, default=0.01, help="false alarms that the threshold stands for")
    parser.add_argument("--stage", type=int, default=2)
    parser.add_argument("--most", type=int, default=4000, help="texts of one set")
    parser.add_argument("--peer", action="append", default=[], help="NAME=PYTHON of an environment that holds it")
    parser.add_argument("--brief", action="store_true", help="the sets only")
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    from hauberk.detect.prompt.rates import threshold

    limit = threshold("attack", options.rate)
    own = ours(options.stage)
    results: dict[str, Any] = {"machine": f"{platform.machine()}, Python {platform.python_version()}", "detectors": {}}
    results["versions"] = ", ".join(f"{name} {version(name)}" for name in ("numpy", "onnxruntime") if options.stage > 1)
    results["detectors"]["hauberk"] = measured(own, limit, options.root, options.most)
    for entry in options.peer:
        name, python = entry.split("=", 1)
        results["detectors"][name] = measured(peer(name, python), 0.5, options.root, options.most)
    if not options.brief:
        results["obfuscated"] = obfuscated(own, limit, 150)
        results["chinese"] = chinese(own, limit)
    report = "\n".join(table(results)) + "\n"
    print(report)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
        (options.out / "README.md").write_text(report, "utf-8")


if __name__ == "__main__":
    main()
