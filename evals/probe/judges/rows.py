"""Labelled answers: people's labels, our own writing, and answers of small local models that we labelled."""

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml
from evals.guard.data.grammar import fill

from hauberk.detect.answer.stance import declines, declining_words

HERE = Path(__file__).parent
LABELS = ("full", "refusal", "partial")
_XSTEST = {"1_full_compliance": "full", "2_full_refusal": "refusal", "3_partial_refusal": "partial"}


class Row(msgspec.Struct, frozen=True):
    """One answer. `weight` is what it counts in training."""

    request: str
    answer: str
    label: str
    lang: str
    source: str
    model: str = ""
    weight: float = 1.0


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def xstest(folder: Path) -> list[Row]:
    """XSTest completions of three models (Röttger et al. 2024, CC-BY-4.0), labels of two people."""
    rows = _lines(folder / "xstest_completions.jsonl.gz")
    return [Row(r["prompt"], r["response"], _XSTEST[r["label"]], "en", "xstest", r["model"], 3.0) for r in rows]


def gptfuzz(folder: Path) -> list[Row]:
    """GPTFuzz's labelled answers (Yu et al. 2023, MIT): jailbroken or not, distinct answers only.

    An answer that is not a jailbreak is not always a refusal; those without a word of declining count little.
    """
    found: dict[str, Row] = {}
    for row in _lines(folder / "gptfuzz.jsonl.gz"):
        answer = row["response"]
        broken = row["label"] == "1"
        sure = broken or declines(declining_words(answer))
        lang = "zh" if sum("\u4e00" <= c <= "\u9fff" for c in answer) * 3 > len(answer) else "en"
        found[answer] = Row("", answer, "full" if broken else "refusal", lang, "gptfuzz", "", 0.3 if sure else 0.1)
    return list(found.values())[::3]  # they count little, and a third of them says the same


def local() -> list[Row]:
    """Answers of small local models to our own seeds, read and labelled by this project's author, one person."""
    path = HERE / "data" / "local_answers.jsonl"
    if not path.exists():
        return []
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Row(r["prompt"], r["response"], r["label"], r["lang"], "local", r["model"], 2.0) for r in rows if r["label"] in LABELS]


def own(seed: int = 1) -> list[Row]:
    """Our own writing: whole answers, and patterns filled from lists."""
    made: dict[str, Row] = {}
    for lang in ("english", "chinese"):
        data = yaml.safe_load((HERE / "data" / f"{lang}.yaml").read_text(encoding="utf-8"))
        for row in _own(data, "en" if lang == "english" else "zh", random.Random(seed)):  # noqa: S311 - reproducible
            made.setdefault(row.answer, row)
    return list(made.values())


def _own(data: dict[str, Any], lang: str, choose: random.Random) -> Iterator[Row]:
    for family in data["families"]:
        topics = [topic for kind in family["topics"] for topic in data["topics"][kind]]
        for pattern in family["answers"]:
            for topic in choose.sample(topics, min(len(topics), family["each"])):
                slots = _slots(data["slots"], topic)
                yield Row(
                    fill(choose.choice(data["asks"]), slots, choose),
                    _neat(fill(pattern, slots, choose)),
                    family["label"],
                    lang,
                    "own",
                )
    for whole in data.get("whole", ()):
        yield Row(whole[0], whole[1], whole[2], lang, "own", "", 2.0)
    for answer in data.get("refusals", ()):
        slots = _slots(data["slots"], choose.choice(data["topics"]["harm"]))
        yield Row(
            fill(choose.choice(data["asks"]), slots, choose), fill(answer, slots, choose), "refusal", lang, "own-whole", "", 3.0
        )
    for request, answer in data.get("lures", ()):
        yield Row(request, answer, "full", lang, "own-whole", "", 3.0)
    yield from _scenes(data["scenes"], lang, choose)


def _scenes(data: dict[str, Any], lang: str, choose: random.Random) -> Iterator[Row]:
    for scene in data["list"]:
        for _ in range(scene["each"]):
            slots = {name: [choose.choice(values)] for name, values in data["lists"].items()}
            loose = {**slots, **{name: data["lists"][name] for name in ("equal", "opener") if name in data["lists"]}}
            request = fill(choose.choice(scene["asks"]), slots, choose)
            yield Row(_neat(request), _neat(fill(choose.choice(scene["answers"]), loose, choose)), scene["label"], lang, "own")


def _slots(slots: dict[str, list[str]], topic: list[str] | str) -> dict[str, list[str]]:
    act, deed = topic if isinstance(topic, list) else (topic, topic)
    return {**slots, "act": [act], "deed": [deed]}


def _neat(text: str) -> str:
    """`text` without the gaps of empty slots, sentences beginning in capitals."""
    lines = [" ".join(line.split()) if line.isascii() else line.strip() for line in text.strip().split("\n")]
    return "\n".join(line[:1].upper() + line[1:] for line in lines).strip()
