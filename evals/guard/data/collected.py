"""Ordinary prompts of permissively licensed repositories, collected by `public/collect.py` and kept here."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from evals.guard.data.row import Row

FOLDER = Path(__file__).parent / "public"


def rows() -> Iterator[Row]:
    """Every collected row. All are of licence class P (MIT), ordinary, and of the user's role."""
    for path in sorted(FOLDER.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                made = json.loads(line)
                yield Row(
                    text=made["text"],
                    label=0,
                    task="attack",
                    kind="benign-persona" if made["kind"] == "benign-persona" else "benign",
                    lang=made["lang"],
                    role=made["role"],
                    source=f"collected:{made['source']}",
                    group=made["group"],
                )
