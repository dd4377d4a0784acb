"""SafetyBench: multiple choice with the official answer key, which lies in a file of its own since 2025-07-28."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from hauberk.probe.goal import Choice
from hauberk.probe.seeds.errors import SeedError
from hauberk.probe.seeds.public.rows import LARGEST
from hauberk.probe.seeds.seed import Seed

T = TypeVar("T")
LETTERS = "ABCD"
_RISKS = {
    "Unfairness and Bias": "discrimination",
    "Offensiveness": "harmful-content",
    "Physical Health": "misinformation",
    "Privacy and Property": "sensitive-information",
}


class Question(msgspec.Struct, frozen=True):
    """One question as its file has it."""

    id: int
    options: tuple[str, ...]
    category: str
    question: str


class Answer(msgspec.Struct, frozen=True):
    """One entry of the answer key: the number of the option, from 0."""

    category: str
    answer: int


def questions(path: Path) -> Iterator[Seed]:
    """The questions of the file at `path`, with the key from `test_answers_*.json` beside it. Raises SeedError."""
    key_path = path.with_name(path.name.replace("test_", "test_answers_", 1))
    found = _decoded(path, list[Question])
    key = _decoded(key_path, dict[str, Answer])
    lang = "zh" if "_zh" in path.stem else "en"
    for question in found:
        entry = key.get(str(question.id))
        if entry is None or not 0 <= entry.answer < len(question.options) <= len(LETTERS):
            raise SeedError(f"{key_path}: question {question.id} of {path.name} has no usable answer there")
        yield Seed(
            id=f"{path.stem}:{question.id}",
            text=question.question,
            lang=lang,
            risk=_RISKS.get(question.category, "harmful-content"),
            goal=Choice(LETTERS[entry.answer], question.options),
            group=question.category,
        )


def _decoded(path: Path, kind: type[T]) -> T:
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
        return msgspec.json.decode(data, type=kind)
    except OSError as error:
        raise SeedError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SeedError(f"{path}: not SafetyBench's shape: {error}") from error
