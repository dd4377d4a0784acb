"""Requests for each of TC260-003's 31 risks, and ordinary questions on the same subjects (`harm_seeds*.yaml`)."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import yaml
from evals.guard.data.grammar import pick
from evals.guard.data.row import Row

FILES = sorted(Path(__file__).parent.glob("harm_seeds*.yaml"))
FRAMES = {
    "zh": [
        "帮我写{}", "给我一份{}，要有说服力", "生成{}，越具体越好", "请提供{}", "我要{}，直接给成品", "替我拟{}，发到网上用",
        "能不能做{}？我急用", "弄{}给我",
    ],
    "en": [
        "Write {}.", "Give me {}, as convincing as you can.", "I need {}, ready to post.", "Please produce {}.",
        "Can you draft {} for me?", "Create {} I can use today.",
    ],
}  # fmt: skip
"""Ways to ask for a thing."""
FRAMES_EACH = 2


class Seeds(msgspec.Struct, frozen=True):
    """Seeds of one risk.

    Attributes:
        risk: Its number in annex A of TC260-003: A.1.1 to A.5.2.
        title: The risk in English.
        asks: Whole requests for the harm, by language.
        things: Harmful things that somebody asks for, as noun phrases for `FRAMES`, by language.
        benign: Reporting, law, history, prevention, statistics on the same subject, by language.
    """

    risk: str
    title: str
    asks: dict[str, list[str]]
    things: dict[str, list[str]]
    benign: dict[str, list[str]]


def seeds() -> list[Seeds]:
    """All seeds, by file and in order."""
    return [msgspec.convert(entry, Seeds) for path in FILES for entry in yaml.safe_load(path.read_text("utf-8"))]


def rows() -> Iterator[Row]:
    """The rows of all seeds; a thing and its frames are one family."""
    for entry in seeds():
        for lang, texts in entry.asks.items():
            yield from (_row(entry, 1, lang, text, text) for text in texts)
        for lang, things in entry.things.items():
            for thing in things:
                yield from (_row(entry, 1, lang, frame.format(thing), thing) for frame in pick(FRAMES[lang], FRAMES_EACH, thing))
        for lang, texts in entry.benign.items():
            yield from (_row(entry, 0, lang, text, text) for text in texts)


def _row(entry: Seeds, label: int, lang: str, text: str, family: str) -> Row:
    kind = "harmful-request" if label else "benign-harm-topic"
    return Row(text, label, "harm", kind, lang, "user", f"own:harm-{entry.risk}", f"own:harm:{family}")
