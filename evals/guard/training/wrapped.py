"""Requests in jailbreak frames (`data/frames.*.yaml`): attacks, but in playful frames ordinary rows and bare harmful requests.

A frame is one family and stands on one side of the split; the requests are those of the split's own rows.
"""

import base64
import hashlib
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import yaml
from evals.guard.data import corpus
from evals.guard.data.families import side
from evals.guard.data.grammar import fill
from evals.guard.training.foreign import TRUSTED
from evals.guard.training.rows import UNKNOWN, Lesson

from hauberk.detect.prompt.labels import KINDS, Voice

FOLDER = Path(corpus.__file__).parent
EACH = {"attacks": 56, "playful": 70}
"""Rows of a frame."""
HARMFUL_IN_PLAY = 0.3
"""Share of the playful frames' rows that carry a harmful request: it is the request, not the persona, that tells."""
HARMLESS_IN_ATTACK = 0.04


class Frames(msgspec.Struct, frozen=True):
    """The frames of one language; further keys of a file are slot lists."""

    lang: str
    attacks: list[str]
    playful: list[str]
    slots: dict[str, list[str]]


def frames() -> list[Frames]:
    """Those of all languages."""
    found = []
    for path in sorted(FOLDER.glob("frames.*.yaml")):
        made = yaml.safe_load(path.read_text("utf-8"))
        slots = {**made.pop("slots"), **{name: made[name] for name in made if name not in {"attacks", "playful"}}}
        found.append(Frames(path.stem.split(".")[1], made["attacks"], made["playful"], slots))
    return found


def wrapped(rows: Sequence[Lesson], split: corpus.Split) -> Iterator[Lesson]:
    """The frames of `split` round the requests among `rows`."""
    for made in frames():
        harmful, harmless = _requests(rows, made.lang)
        if not harmful or not harmless:
            continue
        for part, patterns in (("attacks", made.attacks), ("playful", made.playful)):
            for pattern in patterns:
                group = f"own:frame-{made.lang}:{pattern[:60]}"
                if side(group) == split:
                    yield from _of_frame(made, part, pattern, group, (harmful, harmless))


def _of_frame(made: Frames, part: str, pattern: str, group: str, requests: tuple[list[str], list[str]]) -> Iterator[Lesson]:
    harmful, harmless = requests
    choose = random.Random(hashlib.blake2b(group.encode(), digest_size=8).digest())  # noqa: S311 - reproducible, not secret
    attacks = part == "attacks"
    for _ in range(EACH[part]):
        harm = choose.random() < (1 - HARMLESS_IN_ATTACK if attacks else HARMFUL_IN_PLAY)
        text = filled(pattern, made.slots, choose.choice(harmful if harm else harmless), choose.sample(harmless, 2), choose)
        if attacks or harm:
            kind = KINDS.index("jailbreak") if attacks else UNKNOWN
            source = f"own:frame-{part}-{made.lang}"
            # A harmful request in an ordinary frame is harmful; whether the frame makes it an attack is left open.
            steers, weight = (1, 1.0) if attacks else (UNKNOWN, 0.4)
            yield Lesson(text, Voice.USER, steers, int(harm) or UNKNOWN, kind, UNKNOWN, weight, source, group, made.lang)
        else:
            yield Lesson(text, Voice.USER, 0, 0, UNKNOWN, UNKNOWN, 1.0, f"framed-play-{made.lang}", group, made.lang)


def filled(pattern: str, slots: dict[str, list[str]], ask: str, others: Sequence[str], choose: random.Random) -> str:
    """The frame with its slots filled; requests are put in last, so that braces in them stay as they are."""
    half = ask.find(" ", len(ask) // 2) if " " in ask[len(ask) // 2 :] else len(ask) // 2
    parts = {
        "ask": ask,
        "ask_a": ask[:half],
        "ask_b": ask[half:],
        "ask_coded": base64.b64encode(ask.encode()).decode(),
        "ask_back": ask[::-1],
        "ok": others[0],
        "ok2": others[1],
    }
    return re.sub(r"\{(ask(?:_\w+)?|ok2?)\}", lambda found: parts[found[1]], fill(pattern, slots, choose))


def _requests(rows: Sequence[Lesson], lang: str) -> tuple[list[str], list[str]]:
    """Short harmful and harmless requests of users in a language, each once."""
    found: tuple[dict[str, None], dict[str, None]] = ({}, {})
    for row in rows:
        if row.voice is Voice.USER and row.attack == 0 and row.lang == lang and 6 < len(row.text) < (70 if lang == "zh" else 180):
            if row.harm == 1 and row.weight >= TRUSTED:
                found[0].setdefault(row.text.strip())
            elif row.harm == 0 and row.source in HARMLESS:
                found[1].setdefault(row.text.strip())
    return [*found[0]], [*found[1]]


HARMLESS = frozenset(
    {"lf_alpaca_en", "lf_alpaca_zh", "belle_seed_zh", "selfinstruct_user", "lf_tool_dpo", "belle-eval", "halluqa_zh", "mtbench",
     "collected:awesome-chatgpt-prompts-zh", "collected:lobe-chat-agents"}
)  # fmt: skip
"""Sources whose short rows are requests that stand by themselves."""
