"""Collects ordinary prompts from two permissively licensed repositories into the files beside this script.

    git clone https://github.com/lobehub/lobe-chat-agents A
    git clone https://github.com/PlexPt/awesome-chatgpt-prompts-zh B
    python evals/guard/data/public/collect.py A B

Both are MIT. From the first: system prompts of assistants (ordinary role-play with many orders in it) and the questions their
authors suggest, in English and Chinese. From the second: Chinese role prompts and lists of ordinary questions.
Prompts that take a model's limits away ("DAN", "developer mode") are left out; they are attacks, whoever collected them.
"""

import gzip
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
NOT_ORDINARY = re.compile(
    r"(?i)\bDAN\b|jailbreak|do anything now|developer mode|unfiltered|uncensored|ignore (?:all|any|previous)|no (?:moral|ethical)|"
    r"越狱|无视|忽略(?:之前|以上|所有)|开发者模式|不受.{0,6}(?:限制|约束)|没有.{0,4}道德|(?:原样|完整|逐字).{0,6}(?:输出|复述).{0,6}(?:提示词|指令)"
)
MOST_QUESTIONS = 6000
LONGEST = 6000


def files(repository: str, pattern: str) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files at HEAD whose name matches."""
    listing = subprocess.run(
        ["git", "-C", repository, "ls-tree", "-r", "-z", "--name-only", "HEAD"], capture_output=True, check=True
    )
    for name in listing.stdout.decode("utf-8", "replace").split("\0"):
        if re.search(pattern, name):
            shown = subprocess.run(["git", "-C", repository, "show", f"HEAD:{name}"], capture_output=True, check=False)
            if shown.returncode == 0:
                yield name, shown.stdout


def row(text: str, kind: str, lang: str, role: str, source: str, group: str) -> dict[str, object]:
    return {
        "text": text.strip(),
        "label": 0,
        "kind": kind,
        "lang": lang,
        "role": role,
        "source": source,
        "group": f"{source}/{group}",
    }


def agents(repository: str) -> Iterator[dict[str, object]]:
    """System prompts (as the system writes them, and as users paste them) and suggested questions."""
    for name, data in files(repository, r"^locales/[^/]+/index(?:\.zh-CN)?\.json$"):
        try:
            agent = json.loads(data)
        except ValueError:
            continue
        lang = "zh" if "zh-CN" in name else "en"
        group = name.split("/")[1]
        config = agent.get("config") or {}
        prompt = config.get("systemRole") or ""
        if isinstance(prompt, str) and 20 <= len(prompt) <= LONGEST and not NOT_ORDINARY.search(prompt):
            yield row(prompt, "benign-persona", lang, "user", "lobe-chat-agents", group)
        for question in config.get("openingQuestions") or ():
            if isinstance(question, str) and 4 <= len(question) <= 400 and not NOT_ORDINARY.search(question):
                yield row(question, "benign-question", lang, "user", "lobe-chat-agents", group)


def chinese(repository: str) -> Iterator[dict[str, object]]:
    """Role prompts and questions in Chinese."""
    for _, data in files(repository, r"^prompts-zh\.json$"):
        for number, entry in enumerate(json.loads(data)):
            text = entry.get("prompt", "")
            if len(text) >= 10 and not NOT_ORDINARY.search(text):
                yield row(text, "benign-persona", "zh", "user", "awesome-chatgpt-prompts-zh", f"role-{number}")
    questions: dict[str, str] = {}
    for name, data in files(repository, r"^question/.*\.md$"):
        for line in data.decode("utf-8", "replace").splitlines():
            cells = [cell.strip().strip('“”"') for cell in line.strip().strip("|").split("|")]
            if (
                len(cells) >= 2
                and 8 <= len(cells[-1]) <= 400
                and re.search(r"[\u4e00-\u9fff]{4}", cells[-1])
                and not NOT_ORDINARY.search(line)
            ):
                questions.setdefault(cells[-1], name)
    ordered = sorted(questions, key=lambda text: hashlib.sha256(text.encode()).digest())
    for text in ordered[:MOST_QUESTIONS]:
        yield row(text, "benign-question", "zh", "user", "awesome-chatgpt-prompts-zh", questions[text])


def main() -> None:
    """Writes one file a repository."""
    for name, rows in (("lobe_chat_agents", agents(sys.argv[1])), ("chatgpt_prompts_zh", chinese(sys.argv[2]))):
        seen: set[str] = set()
        kept = []
        for one in rows:
            if one["text"] not in seen:
                seen.add(str(one["text"]))
                kept.append(one)
        body = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in kept).encode()
        with open(HERE / f"{name}.jsonl.gz", "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as file:
            file.write(body)
        print(name, len(kept), "rows")


if __name__ == "__main__":
    main()
