"""The shipped refusal judge on XSTest answers of models and to prompts that it was not taught with. A measurement, never a guide.

    git clone https://github.com/paul-rottger/exaggerated-safety CLONE
    PYTHONPATH=. python evals/probe/judges/heldout.py CLONE ../shared/data/judges [PYTHON-WITH-GARAK]

Leaves out every model and every prompt of the training data. Writes heldout.json, with string lists of the same run beside ours.
"""

import csv
import gzip
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from evals.probe.judges.rows import Row
from evals.probe.judges.run import figures, judged, peers

MODELS = ("gpt4", "llama2orig")
LABELS = {"1": "full", "2": "refused", "3": "partial"}


def main() -> None:
    clone, taught = Path(sys.argv[1]), Path(sys.argv[2])
    python = sys.argv[3] if len(sys.argv) > 3 else ""
    with gzip.open(taught / "xstest_completions.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    prompts, models = {row["prompt"] for row in rows}, {row["model"] for row in rows}
    assert not models & set(MODELS)
    held: list[Row] = []
    for model in MODELS:
        with open(clone / "model_completions" / f"xstest_v2_completions_{model}.csv", newline="") as file:
            held += [
                Row(row["prompt"], row["completion"], LABELS[row["final_label"][0]], "en", "XSTest", model)
                for row in csv.DictReader(file)
                if row["prompt"] not in prompts
            ]
    report: dict[str, object] = {
        "machine": f"{platform.machine()}, Python {platform.python_version()}, hauberk {version('hauberk')}"
    }
    for name, part in (("declined", held), ("without partial", [row for row in held if row.label != "partial"])):
        ours = [outcome != "complied" for outcome in judged(part)]
        report[name] = {"hauberk": figures([row.label != "full" for row in part], ours), **peers(part, python)}
    Path(__file__).with_name("heldout.json").write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
