"""Trains the answer classifier and writes it where the package reads it.

    python -m evals.probe.judges.train ../shared/data/judges

Deterministic. `run.py` measures models fitted the same way on rows they have not seen; the shipped one is fitted on all of them.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np
from evals.probe.judges.fit import Fitted, fit, table
from evals.probe.judges.rows import Row, gptfuzz, own, xstest

from hauberk.detect.answer.classifier import DATA

HEAT = 1.55  # temperature, as `run.py` found it on unseen rows
QUANTILE = 0.9999


def rows_of(folder: Path) -> list[Row]:
    """All labelled rows."""
    return [*xstest(folder), *gptfuzz(folder), *own()]


def export(model: Fitted, path: Path, heat: float = HEAT) -> None:
    """Writes the weights in int8, those that round to nothing left out."""
    scale = float(np.quantile(np.abs(model.weights[model.rarity > 0]), QUANTILE)) / 127
    grams = np.clip(np.rint(model.weights / scale), -127, 127).astype(np.int8)
    kept = np.flatnonzero(model.rarity).astype(np.int32)  # a gram without weight still counts in a row's length
    path.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        path,
        kept=kept,
        rarity=model.rarity[kept].astype(np.float16),
        grams=grams[kept],
        scale=np.float32(scale),
        dense=model.dense.astype(np.float32),
        bias=model.bias.astype(np.float32),
        heat=np.float32(heat),
    )


def main() -> None:
    rows = rows_of(Path(sys.argv[1]))
    export(fit(table(rows)), DATA)
    print(f"{len(rows)} rows, {DATA.stat().st_size} bytes, sha256 {hashlib.sha256(DATA.read_bytes()).hexdigest()[:16]}")


if __name__ == "__main__":
    main()
