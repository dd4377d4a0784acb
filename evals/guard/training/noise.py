"""Ordinary texts without much meaning: repetition, filler, logs, figures. Long and strange is not yet an attack."""

import random
import string
from collections.abc import Iterator, Sequence

from evals.guard.data import corpus
from evals.guard.training.rows import UNKNOWN, Lesson

from hauberk.detect.prompt.labels import Voice

ROWS = {"train": 1600, "calibration": 240, "experiment": 0}
_WORDS = [
    "word", "test", "hello", "lorem", "the", "data", "token", "apple", "yes", "no", "spam", "foo", "bar", "sample", "text",
    "buffalo", "blah", "stop", "la", "one", "two", "ok", "please", "why", "a",
]  # fmt: skip
_CHINESE = [
    "测试", "哈哈", "好的", "你好", "数据", "一", "重复", "文字", "啊", "谢谢", "苹果", "的", "是", "不", "为什么", "加油",
    "内容", "填充",
]  # fmt: skip
_LEVELS = ("INFO", "DEBUG", "WARN", "ERROR")


def noise(rows: Sequence[Lesson], split: corpus.Split) -> Iterator[Lesson]:
    """As many rows as `split` has, in the user's mouth and in a tool's by turns."""
    choose = random.Random(f"noise {split}")  # noqa: S311 - reproducible, not secret
    short = [row for row in rows if row.attack == 0 and row.harm == 0 and 10 < len(row.text) < 90]
    said = {voice: [row.text.strip() for row in short if row.voice is voice] for voice in (Voice.USER, Voice.FOREIGN)}
    for number in range(ROWS[split] if all(said.values()) else 0):
        voice = Voice.USER if number % 2 else Voice.FOREIGN
        text, lang = choose.choice((_words, _repeated, _letters, _log, _figures, _lines))(choose, said[voice])
        yield Lesson(text, voice, 0, 0, UNKNOWN, UNKNOWN, 1.0, "noise", f"noise:{split}:{number}", lang)


def _words(choose: random.Random, _: Sequence[str]) -> tuple[str, str]:
    chinese = choose.random() < 0.4
    few = choose.sample(_CHINESE if chinese else _WORDS, choose.choice((1, 1, 2, 3, 8)))
    return ("" if chinese else " ").join(choose.choice(few) for _ in range(choose.randrange(12, 160))), "zh" if chinese else "en"


def _repeated(choose: random.Random, sentences: Sequence[str]) -> tuple[str, str]:
    one = choose.choice(sentences)
    return choose.choice((" ", "\n", "")).join([one] * choose.randrange(4, 40)), "en" if one.isascii() else "zh"


def _letters(choose: random.Random, _: Sequence[str]) -> tuple[str, str]:
    def word() -> str:
        return "".join(choose.choice("aeiourstnlmdpc") for _ in range(choose.randrange(2, 10)))

    return " ".join(word() for _ in range(choose.randrange(15, 120))).capitalize() + ".", "en"


def _log(choose: random.Random, _: Sequence[str]) -> tuple[str, str]:
    lines = [
        f"2026-{choose.randrange(1, 13):02}-{choose.randrange(1, 29):02}T{choose.randrange(24):02}:{choose.randrange(60):02}:07Z"
        f" {choose.choice(_LEVELS)} {choose.choice(_WORDS)}.{choose.choice(_WORDS)} id={choose.randrange(10**6)}"
        f" {choose.choice(('started', 'done', 'retry', 'timeout after 30 s', 'ignored', 'deleted', 'permission denied'))}"
        for _ in range(choose.randrange(3, 20))
    ]
    return "\n".join(lines), "en"


def _figures(choose: random.Random, _: Sequence[str]) -> tuple[str, str]:
    separator = choose.choice((", ", "\t", " | ", "\n"))
    kind = choose.choice((string.digits, string.hexdigits, string.ascii_letters + string.digits))
    cells = ["".join(choose.choices(kind, k=choose.randrange(1, 12))) for _ in range(choose.randrange(20, 90))]
    return separator.join(cells), "en"


def _lines(choose: random.Random, sentences: Sequence[str]) -> tuple[str, str]:
    """A few unrelated sentences, over and over."""
    few = [choose.choice(sentences) for _ in range(choose.randrange(2, 4))]
    return "\n".join(few * choose.randrange(3, 10)), "en" if few[0].isascii() else "zh"
