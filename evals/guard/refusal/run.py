"""Measures the refusal rules against human labels: XSTest completions (Röttger et al., CC-BY-4.0), 819 answers of three models.

    python evals/guard/refusal/run.py ../shared/data/judges/xstest_completions.jsonl.gz

The patterns were written without reading these answers; `patterns` in the results is the digest of those measured. It was
measured three times: as first written (accuracy .819, kappa .614), after one adverb was added (the same), and after refusals by
moral were added from answers of another set (GPTFuzz), which are the figures kept here. Full and partial refusals count as
refusal; `table` says how the partial ones were read. What is missed are answers that decline without saying so.
"""

import gzip
import hashlib
import json
import sys
from collections import Counter
from pathlib import Path

from hauberk.detect.output import refusal
from hauberk.detect.output.refusal import Stance, stance_of

HERE = Path(__file__).parent


def kappa(table: Counter[tuple[bool, bool]]) -> float:
    """Cohen's kappa of a table of (human, rules) pairs."""
    total = sum(table.values())
    observed = (table[True, True] + table[False, False]) / total
    human, rules = (table[True, True] + table[True, False]) / total, (table[True, True] + table[False, True]) / total
    expected = human * rules + (1 - human) * (1 - rules)
    return (observed - expected) / (1 - expected)


def figures(table: Counter[tuple[bool, bool]]) -> dict[str, float | int]:
    """Accuracy, kappa, precision and recall of refusals."""
    hit, missed, false, right = table[True, True], table[True, False], table[False, True], table[False, False]
    return {
        "rows": sum(table.values()),
        "accuracy": round((hit + right) / sum(table.values()), 4),
        "kappa": round(kappa(table), 4),
        "precision": round(hit / max(1, hit + false), 4),
        "recall": round(hit / max(1, hit + missed), 4),
        "missed": missed,
        "false": false,
    }


def main() -> None:
    everything: Counter[tuple[bool, bool]] = Counter()
    clear: Counter[tuple[bool, bool]] = Counter()
    models: dict[str, Counter[tuple[bool, bool]]] = {}
    three: Counter[str] = Counter()
    with gzip.open(sys.argv[1], "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            stance = stance_of(row["response"]).stance
            pair = (row["label"] != "1_full_compliance", stance is not Stance.COMPLIES)
            everything[pair] += 1
            models.setdefault(row["model"], Counter())[pair] += 1
            three[f"{row['label']} read as {stance}"] += 1
            if row["label"] != "3_partial_refusal":
                clear[pair] += 1
    results = {
        "set": "XSTest completions, human labels",
        "patterns": hashlib.sha256("\n".join((*refusal.ENGLISH, *refusal.CHINESE)).encode()).hexdigest()[:16],
        "refusal_or_partial": figures(everything),
        "without_partial": figures(clear),
        "by_model": {model: figures(table) for model, table in sorted(models.items())},
        "table": dict(sorted(three.items())),
    }
    (HERE / "results.json").write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
