"""What the models are taught: corpus rows with their targets, and how often each is seen."""

import collections
import math
import random
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from evals.guard import public
from evals.guard.data import corpus, near
from evals.guard.data.row import Row

from hauberk.detect.prompt.labels import CATEGORIES, KINDS, Voice

UNKNOWN = -1


class Lesson(msgspec.Struct, frozen=True):
    """A text with its targets (0 or 1, UNKNOWN where the row says nothing) and how much it counts."""

    text: str
    voice: Voice
    attack: int
    harm: int
    kind: int
    category: int
    weight: float
    source: str
    group: str
    lang: str
    long: bool = False


def voice_of(role: str) -> Voice:
    """Who speaks, as the models are told it."""
    return Voice.FOREIGN if role in {"tool", "document"} else Voice.MODEL if role == "assistant" else Voice.USER


def _category(source: str) -> str:
    """The taxonomy's name of the risk that a seed was written for: `own:harm-A.1.2` is of A.1-b."""
    named = re.fullmatch(r"own:harm-(A\.\d)\.(\d)", source)
    return f"{named[1]}-{'abcdefghi'[int(named[2]) - 1]}" if named else ""


def _lesson(row: Row, **changed: object) -> Lesson:
    attack = row.label if row.task == "attack" else 0
    harm = row.label if row.task == "harm" else (UNKNOWN if row.label else 0)
    kind = KINDS.index(row.kind) if row.label and row.task == "attack" and row.kind in KINDS else UNKNOWN
    risk = _category(row.source)
    category = CATEGORIES.index(risk) if harm == 1 and risk in CATEGORIES else UNKNOWN
    made = Lesson(row.text, voice_of(row.role), attack, harm, kind, category, row.weight, row.source, row.group, row.lang)
    return msgspec.structs.replace(made, **changed)


def lessons(split: corpus.Split, root: Path | None, clones: Path | None) -> list[Lesson]:
    """All rows of `split`, those of public clones with near-copies of what is measured on taken out."""
    rows = list(corpus.build(corpus.root_of(root)).rows[split])
    extra = list(public.rows(clones, split))
    known = {near.normalise(row.text) for row in rows}
    denied = near.NearIndex(corpus.references(corpus.root_of(root)))
    fresh = {near.normalise(row.text): row for row in extra}
    extra = [row for key, row in fresh.items() if key not in known]
    copies = denied.copies([row.text for row in extra])
    rows += [row for row, copy in zip(extra, copies, strict=True) if not copy]
    return [_lesson(row) for row in rows]


def shares(rows: Sequence[Lesson]) -> list[float]:
    """How often each row is drawn: sources by the square root of their size, classes of one voice and language levelled halfway."""
    sizes = collections.Counter(row.source for row in rows)
    base = [row.weight / math.sqrt(sizes[row.source]) for row in rows]
    totals: dict[tuple[object, ...], float] = collections.defaultdict(float)
    for row, share in zip(rows, base, strict=True):
        totals[_class(row)] += share
    mean = sum(totals.values()) / len(totals)
    return [share * math.sqrt(mean / totals[_class(row)]) for row, share in zip(rows, base, strict=True)]


def _class(row: Lesson) -> tuple[object, ...]:
    return row.attack, max(row.harm, 0), row.voice, row.lang == "zh"


_CJK = re.compile(r"[\u3400-\u9fff]")


def altered(text: str, choose: random.Random) -> str:
    """The text with one light change that keeps its meaning, or as it is: case, a typo, a lost space, punctuation."""
    turn = choose.random()
    if turn < 0.06:
        return text.upper() if turn < 0.02 else text.capitalize()
    if turn < 0.14 and len(text) > 12:
        at = choose.randrange(1, len(text) - 2)
        if not _CJK.match(text[at]):
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if turn < 0.18:
        return text.rstrip(".!?。！？ ")
    if turn < 0.21:
        return text + choose.choice(["!!!", " please", " thanks", "。谢谢", "...", "\n\n"])
    return text


def texts_of(rows: Iterable[Lesson]) -> list[str]:
    return [row.text for row in rows]


__all__ = ["UNKNOWN", "Lesson", "altered", "lessons", "shares", "texts_of", "voice_of"]
