"""Ordinary traffic from public repositories whose licence allows it, read from clones beside each other in one folder.

| clone (`owner+name`) | what is read | licence |
|---|---|---|
| clinc+oos-eval | requests to an assistant, English (Larson et al. 2019) | CC-BY-3.0 |
| thu-coai+CrossWOZ | both sides of travel dialogues, Chinese (Zhu et al. 2020) | Apache-2.0 |
| PlexPt+awesome-chatgpt-prompts-zh | personas to play, Chinese | MIT |
| LianjiaTech+BELLE | evaluation questions and seed tasks, Chinese | Apache-2.0 |
| google-research-datasets+Taskmaster | both sides of orders, English (Byrne and others) | CC-BY-4.0 |
| PaddlePaddle+docs | pages of documentation, English and Chinese | Apache-2.0 |
| tldr-pages+tldr | pages on commands, English and Chinese | CC-BY-4.0 |
| Anduin2017+HowToCook | recipes, Chinese | Unlicense |
| 18F+handbook | an agency's handbook for its staff, English | CC0-1.0 |
| GSA+digitalgov.gov | articles and guides for civil servants, English | public domain |
| vuejs-translations+docs-zh-cn | documentation, Chinese | CC-BY-4.0 |
| yizhongw+self-instruct | models' answers to ordinary instructions, English (Wang et al. 2023) | Apache-2.0 |
"""

import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from evals.guard.data.families import side
from evals.guard.data.row import Role, Row

_STEERS = re.compile(r"(?i)\bDAN\b|jailbreak|越狱|无限制|没有任何限制|忽略|不受.{0,6}(?:限制|约束)|开发者模式|提示词泄露")
"""Personas that are attacks; the persona collection holds a few."""


def _row(text: str, kind: str, lang: str, source: str, group: str, role: Role = "user") -> Row:
    return Row(text, 0, "attack", kind, lang, role, source, f"public:{source}:{group}")


def _clinc(folder: Path) -> Iterator[Row]:
    for split, rows in json.loads((folder / "data" / "data_full.json").read_text("utf-8")).items():
        if not split.startswith("oos_"):
            for text, intent in rows:
                yield _row(text, "benign", "en", "clinc", intent)


def _crosswoz(folder: Path) -> Iterator[Row]:
    for path in sorted((folder / "data" / "crosswoz").glob("*.json.zip")):
        try:
            with zipfile.ZipFile(path) as archive:
                dialogues = json.loads(archive.read(archive.namelist()[0]))
        except zipfile.BadZipFile:
            continue
        for name, dialogue in dialogues.items():
            for turn in dialogue["messages"]:
                user = turn["role"] == "usr"
                yield _row(turn["content"], "benign" if user else "benign-tool", "zh", "crosswoz", name, "user" if user else "tool")


def _personas(folder: Path) -> Iterator[Row]:
    for entry in json.loads((folder / "prompts-zh.json").read_text("utf-8")):
        if not _STEERS.search(entry["prompt"] + entry["act"]):
            yield _row(entry["prompt"], "benign-roleplay", "zh", "personas-zh", entry["act"])


def _belle(folder: Path) -> Iterator[Row]:
    for line in (folder / "eval" / "eval_set.json").read_text("utf-8").splitlines():
        entry = json.loads(line)
        yield _row(entry["question"], "benign", "zh", "belle-eval", entry["question"][:40])
        if entry.get("std_answer"):
            yield _row(entry["std_answer"], "benign-tool", "zh", "belle-eval", entry["question"][:40], "tool")
            pair = f"问：{entry['question']}\n答：{entry['std_answer']}"
            yield _row(pair, "benign-document", "zh", "questions-answered", entry["question"][:40], "document")
    for line in (folder / "data" / "1.5M" / "zh_seed_tasks.json").read_text("utf-8").splitlines():
        entry = json.loads(line)
        for instance in entry["instances"]:
            text = f"{entry['instruction']}\n{instance['input']}".strip()
            yield _row(text, "benign", "zh", "belle-seeds", entry["id"])


def _taskmaster(folder: Path) -> Iterator[Row]:
    for path in sorted((folder / "TM-4-2024" / "data").glob("*.json")):
        for dialogue in json.loads(path.read_text("utf-8")):
            for turn in dialogue["utterances"]:
                user = turn["speaker"] == "user"
                name = dialogue["conversation_id"]
                yield _row(turn["text"], "benign" if user else "benign-tool", "en", "taskmaster", name, "user" if user else "tool")


def _pages(folder: Path, source: str, most: int) -> Iterator[Row]:
    """Pages cut at paragraphs into pieces of some hundred characters, `most` pages of each language by hash."""
    for lang in ("zh", "en"):
        paths = [path for path in folder.rglob("*") if path.suffix in {".md", ".rst"}]
        paths = [
            path for path in paths if (bool(re.search(r"_cn\.|/pages\.zh/|/zh/", str(path))) or _is_chinese(path)) == (lang == "zh")
        ]
        for path in sorted(paths, key=lambda path: hashlib.blake2b(path.name.encode()).digest())[:most]:
            for piece in _pieces(path.read_text("utf-8", "replace"))[:6]:
                yield _row(piece, "benign-document", lang, source, path.name, "document")


def _is_chinese(path: Path) -> bool:
    text = path.read_text("utf-8", "replace")[:2000]
    return len(re.findall(r"[\u4e00-\u9fff]", text)) > 60


def _pieces(text: str) -> list[str]:
    found = [""]
    for paragraph in text[:12_000].split("\n\n"):
        if len(found[-1]) + len(paragraph) > 900 and found[-1]:
            found.append("")
        found[-1] += paragraph[:1500] + "\n\n"
    return [piece.strip() for piece in found if len(piece) > 80]


def _paddle(folder: Path) -> Iterator[Row]:
    yield from _pages(folder, "paddle-docs", 200)


def _tldr(folder: Path) -> Iterator[Row]:
    yield from _pages(folder, "tldr", 900)


def _cooking(folder: Path) -> Iterator[Row]:
    yield from _pages(folder, "recipes-zh", 400)


def _handbook(folder: Path) -> Iterator[Row]:
    yield from _pages(folder, "handbook", 250)


def _articles(folder: Path) -> Iterator[Row]:
    yield from _pages(folder / "content", "articles", 700)


def _vue(folder: Path) -> Iterator[Row]:
    yield from _pages(folder, "vue-zh", 130)


def _answers(folder: Path) -> Iterator[Row]:
    for path in sorted((folder / "human_eval" / "predictions").glob("text-davinci-*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            entry = json.loads(line)
            text = entry.get("response", {})
            text = text["choices"][0]["text"] if isinstance(text, dict) and text.get("choices") else text
            if isinstance(text, str) and len(text.strip()) > 20:
                group = entry["instruction"][:60]
                yield _row(text.strip()[:4000], "benign-tool", "en", "answers", group, "assistant" if len(text) % 2 else "document")
                pair = f"Q: {entry['instruction']}\nA: {text.strip()[:1500]}"
                yield _row(pair, "benign-document", "en", "questions-answered", group, "document")


_READERS = {
    "clinc+oos-eval": _clinc,
    "thu-coai+CrossWOZ": _crosswoz,
    "PlexPt+awesome-chatgpt-prompts-zh": _personas,
    "LianjiaTech+BELLE": _belle,
    "google-research-datasets+Taskmaster": _taskmaster,
    "PaddlePaddle+docs": _paddle,
    "Anduin2017+HowToCook": _cooking,
    "18F+handbook": _handbook,
    "GSA+digitalgov.gov": _articles,
    "vuejs-translations+docs-zh-cn": _vue,
    "tldr-pages+tldr": _tldr,
    "yizhongw+self-instruct": _answers,
}


def rows(folder: Path | None, split: str) -> Iterator[Row]:
    """Rows of `split` from those clones that lie in `folder`; a family (an intent, a dialogue) stands whole on one side."""
    for name, reader in _READERS.items():
        if folder and (folder / name).is_dir():
            yield from (row for row in reader(folder / name) if row.text.strip() and side(row.group) == split)
