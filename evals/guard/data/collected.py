"""Ordinary prompts from permissively licensed repositories, kept in `public/` (see `public/collect.py`)."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from evals.guard.data.denied import is_denied
from evals.guard.data.row import Row

FOLDER = Path(__file__).with_name("public")


def rows() -> Iterator[Row]:
    """All collected rows, by file and in order, with the family each file names.

    Raises:
        ValueError: if a file comes from a set that is never trained on.
    """
    for path in sorted(FOLDER.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                entry = json.loads(line)
                if is_denied(entry["source"]):
                    raise ValueError(f"{entry['source']} may not be trained on")
                yield Row(
                    entry["text"],
                    entry["label"],
                    "attack",
                    entry["kind"],
                    entry["lang"],
                    entry["role"],
                    f"collected:{entry['source']}",
                    f"collected:{entry['group']}",
                )
