"""Personal data: recall on held-out carriers, quiet on near misses and on ordinary traffic; Presidio in the same run.

    python -m venv VENV && VENV/bin/pip install presidio-analyzer
    .venv/bin/python evals/guard/personal/run.py --peer VENV/bin/python --traffic ../shared/data/guard/train

Without `--peer` or `--traffic` that part is left out. Writes results.json beside this file. A value counts as found when
spans at or over the threshold cover all of it; a near miss or an ordinary message counts as an alarm when any span lies on it.
"""

import argparse
import glob
import gzip
import json
import random
import subprocess
import tempfile
import time
from pathlib import Path

from carriers import DEV, HELD_OUT
from values import CHECKED, KINDS

from hauberk.core import Confidence
from hauberk.detect.personal.find import find

HERE = Path(__file__).parent
SEED = 20261121
EACH = 60  # values of each kind and carrier set
THRESHOLD = 0.4  # of the peer; ours: medium
NOT_PERSONAL = {"URL", "DATE_TIME"}  # of the peer's kinds
SAMPLE = 3000  # ordinary messages that the peer reads

Case = dict[str, object]


def cases() -> list[Case]:
    """Texts with the place of the value, valid or a near miss."""
    chance = random.Random(SEED)  # noqa: S311 - the same every time
    made: list[Case] = []
    for carriers, name in ((DEV, "dev"), (HELD_OUT, "held-out")):
        for kind, draw in KINDS.items():
            for number in range(EACH * 2):
                valid = number % 2 == 0
                if not valid and kind not in CHECKED:
                    continue
                value, carrier = draw(chance, valid=valid), chance.choice(carriers)
                text = carrier.replace("{}", "\0").replace("{{", "{").replace("}}", "}")
                start = text.index("\0")
                made.append(
                    {
                        "text": text.replace("\0", value),
                        "start": start,
                        "end": start + len(value),
                        "kind": kind,
                        "valid": valid,
                        "set": name,
                    }
                )
    return made


def ordinary(folder: str) -> list[str]:
    """The rows of the training pool that nobody calls an attack."""
    texts: list[str] = []
    for path in sorted(glob.glob(f"{folder}/*.jsonl.gz")):
        with gzip.open(path, "rt") as lines:
            texts += [row["text"] for row in map(json.loads, lines) if row["label"] == 0]
    return texts


def ours(texts: list[str]) -> tuple[list[list[tuple[str, int, int]]], float]:
    """Spans of each text, and seconds."""
    find("warm 13812345678")
    start = time.perf_counter()
    spans = [[(s.kind, s.start, s.end) for s in find(text, least=Confidence.MEDIUM)] for text in texts]
    return spans, time.perf_counter() - start


def peer(python: str, texts: list[str]) -> tuple[list[list[tuple[str, int, int]]], float]:
    """The same of the peer, in its own environment."""
    with tempfile.TemporaryFile("w+") as given:
        given.writelines(json.dumps({"text": text}) + "\n" for text in ["warm", *texts])
        given.seek(0)
        out = subprocess.run([python, str(HERE / "peer.py")], stdin=given, capture_output=True, text=True, check=True).stdout
    answers = [json.loads(line) for line in out.splitlines()][1:]
    spans = [
        [(k, a, b) for k, a, b, score in answer["spans"] if score >= THRESHOLD and k not in NOT_PERSONAL] for answer in answers
    ]
    return spans, sum(answer["seconds"] for answer in answers)


def covered(case: Case, spans: list[tuple[str, int, int]]) -> bool:
    """Whether the spans cover the whole value."""
    places = {place for _, a, b in spans for place in range(a, b)}
    return all(place in places for place in range(int(str(case["start"])), int(str(case["end"]))))


def score(made: list[Case], found: list[list[tuple[str, int, int]]]) -> dict[str, object]:
    """Recall and false alarms by kind, for each set of carriers."""
    table: dict[str, object] = {}
    for name in ("dev", "held-out"):
        rows: dict[str, dict[str, float]] = {}
        for kind in KINDS:
            mine = [(c, s) for c, s in zip(made, found, strict=True) if c["kind"] == kind and c["set"] == name]
            valid = [covered(c, s) for c, s in mine if c["valid"]]
            near = [any(a < int(str(c["end"])) and b > int(str(c["start"])) for _, a, b in s) for c, s in mine if not c["valid"]]
            rows[kind] = {"recall": round(sum(valid) / len(valid), 3)}
            if near:
                rows[kind]["near-miss alarms"] = round(sum(near) / len(near), 3)
        recalls = [row["recall"] for row in rows.values()]
        alarms = [row["near-miss alarms"] for row in rows.values() if "near-miss alarms" in row]
        table[name] = {
            "mean recall": round(sum(recalls) / len(recalls), 3),
            "mean near-miss alarms": round(sum(alarms) / len(alarms), 3),
            "kinds": rows,
        }
    return table


def alarms(found: list[list[tuple[str, int, int]]]) -> dict[str, object]:
    """Messages with a finding per 10,000, all together and by kind."""
    kinds: dict[str, int] = {}
    for spans in found:
        for kind in {kind for kind, _, _ in spans}:
            kinds[kind] = kinds.get(kind, 0) + 1
    each = {kind: round(n / len(found) * 1e4, 2) for kind, n in sorted(kinds.items(), key=lambda item: -item[1])}
    return {"messages": len(found), "per 10,000": round(sum(map(bool, found)) / len(found) * 1e4, 2), "kinds per 10,000": each}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--peer", default="")
    options.add_argument("--traffic", default="")
    given = options.parse_args()
    made = cases()
    texts = [str(case["text"]) for case in made]
    found, seconds = ours(texts)
    results: dict[str, object] = {
        "seed": SEED,
        "cases": len(made),
        "hauberk": {**score(made, found), "ms a text": round(seconds / len(texts) * 1e3, 4)},
    }
    traffic = ordinary(given.traffic) if given.traffic else []
    sample = random.Random(SEED).sample(traffic, min(SAMPLE, len(traffic)))  # noqa: S311 - the same every time
    if traffic:
        results["ordinary, all"] = {"hauberk": alarms(ours(traffic)[0])}
        spans, seconds = ours(sample)
        results["ordinary, sample"] = {"hauberk": {**alarms(spans), "ms a text": round(seconds / len(sample) * 1e3, 4)}}
    if given.peer:
        found, seconds = peer(given.peer, texts + sample)
        results["presidio"] = {
            "threshold": THRESHOLD,
            **score(made, found[: len(texts)]),
            "ms a text": round(seconds / len(found) * 1e3, 2),
        }
        if traffic:
            results["ordinary, sample"]["presidio"] = alarms(found[len(texts) :])  # type: ignore[index]
    (HERE / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps(results, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
