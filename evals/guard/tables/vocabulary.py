# /// script
# requires-python = ">=3.11"
# dependencies = ["symspellpy==6.10.1"]
# ///
"""Builds `vocabulary.json`, English words from common to rare: `uv run evals/guard/tables/vocabulary.py`.

Source: symspellpy's `frequency_dictionary_en_82_765.txt` (MIT; word counts of Google Books n-grams, CC BY 3.0, of the words that
SCOWL holds), and the words of `english.json`, which stand first in rank where the dictionary lacks them.
"""

import importlib.resources
import json
from pathlib import Path

TARGET = Path(__file__).resolve().parents[3] / "src/hauberk/rules/data/normalise"
MOST = 50_000
LEAST = {1: 1 << 60, 2: 1 << 60, 3: 30_000_000}
"""Counts below which a word of so many letters is left out: short pieces of words are not to count as words."""


def main() -> None:
    known = json.loads((TARGET / "english.json").read_text("utf-8"))["words"].split(" ")
    lines = (importlib.resources.files("symspellpy") / "frequency_dictionary_en_82_765.txt").read_text("utf-8").splitlines()
    counts = {word: int(count) for word, count in (line.lstrip("\ufeff").split(" ") for line in lines) if word.isalpha()}
    kept = {word: count for word, count in counts.items() if word.isascii() and count >= LEAST.get(len(word), 0)}
    middle = sorted(kept.values(), reverse=True)[5000]
    for word in known:
        kept.setdefault(word, counts.get(word, 0) if len(word) < 3 else middle)
    ranked = sorted(kept, key=lambda word: (-kept[word], word))[:MOST]
    path = TARGET / "vocabulary.json"
    path.write_text(json.dumps({"words": " ".join(ranked)}, separators=(",", ":")) + "\n", "utf-8")
    print(f"{path.name}: {path.stat().st_size} bytes, {len(ranked)} words")


if __name__ == "__main__":
    main()
