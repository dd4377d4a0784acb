"""The model card beside the weights."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

_TEXT = """# Model card: prompt detectors {version}

## What they are
Two models that judge one message each: is somebody steering the model (`attack`; `indirect` in a tool's result or a document),
and is the request harmful (`harm`); further the kind of attack and which of TC260-003's 31 risks.
- Stage 1: hashed n-grams of characters (1–5) and words (1–3), {buckets} buckets of 16 int8 numbers, two small layers; from scratch.
- Stage 2: the lower 4 layers of all-MiniLM-L6-v2 (Apache-2.0), its vocabulary extended by Chinese characters, whose embeddings were
  first mapped from Qwen2.5-Coder-0.5B's (Apache-2.0) by ridge regression; fine-tuned; int8 ONNX.
  Taught in {history}.

## Data
{rows} rows of licence class P and rows written for this project (`evals/guard/data/README.md`, `evals/guard/public.py`). No
published benchmark was trained on; near-copies of them were taken out. Rows by source:
{sources}

## Calibration
On families of the corpus that no model was taught. A score of 0.5 is the one that 1% of the ordinary messages of users, and 3% of
ordinary foreign texts, exceed; `model.json` holds thresholds for other rates.
Figures there (unseen families; easier than the world):
{figures}
Figures on sets of others: `evals/guard/README.md`.

## Limits
- English and Chinese; German, Spanish and French a little, other languages hardly.
- Foreign text is told from the user's by its role: a plain request is an attack only where it is foreign.
- The kinds and categories name the likeliest, and are not calibrated.

## Licence
Apache-2.0, as the base weights.
"""


def write(folder: Path, version: str, sources: Counter[str], figures: dict[str, dict[str, Any]], history: str) -> None:
    """Writes `model_card.md` and `model_card.json`."""
    lines = "\n".join(f"{name} {count}," for name, count in sources.most_common()).rstrip(",")
    table = "\n".join(
        f"- {head}: " + ", ".join(f"{key} {value:.4g}" for key, value in row.items()) for head, row in figures.items()
    )
    text = _TEXT.format(version=version, buckets="2^19", rows=sum(sources.values()), sources=lines, figures=table, history=history)
    (folder / "model_card.md").write_text(text, "utf-8")
    made = {
        "version": version,
        "licence": "Apache-2.0",
        "rows": sum(sources.values()),
        "sources": dict(sources),
        "figures": figures,
        "encoder": history,
    }
    (folder / "model_card.json").write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", "utf-8")
