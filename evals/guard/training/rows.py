"""What the models are taught: corpus rows with their targets, twins in other roles, and how often each is seen."""

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


_ASKS = re.compile(r"(?i)^(?:what|who|when|where|why|how|is|are|do|does|can|which)\b|[?？吗呢]$")


def foreign_twins(base: Sequence[Lesson], seed: int) -> list[Lesson]:
    """The same words in another mouth.

    An order to the model that stands in a tool's result is an indirect injection, though a user may give it: ordinary orders are
    taught as attacks when foreign, alone and at the end of foreign text; so are direct attacks.
    """
    choose = random.Random(seed)  # noqa: S311 - reproducible, not secret
    made: list[Lesson] = []
    carriers = [x for x in base if x.voice is Voice.FOREIGN and not x.attack and 60 < len(x.text) < 1500]
    orders = [
        x for x in base if x.voice is Voice.USER and not x.attack and x.harm == 0 and 6 < len(x.text) < 300 and x.source in _ORDERS
    ]
    orders = [x for x in orders if not _ASKS.search(x.text.strip())]
    kind = KINDS.index("injection-indirect")
    for order in orders:
        made.append(msgspec.structs.replace(order, voice=Voice.FOREIGN, attack=1, kind=kind, weight=1.4, source="twin:order"))
        same = [x for x in choose.sample(carriers, min(12, len(carriers))) if x.lang == order.lang]
        if same and choose.random() < 0.3:
            text = _joined(same[0].text[-500:], order.text, choose)
            made.append(Lesson(text, Voice.FOREIGN, 1, UNKNOWN, kind, UNKNOWN, 1.0, "twin:carried-order", order.group, order.lang))
    for lesson in base:
        if lesson.attack == 1 and lesson.voice is Voice.USER and choose.random() < 0.35:
            made.append(msgspec.structs.replace(lesson, voice=Voice.FOREIGN, source="twin:attack"))
            if carriers and len(lesson.text) < 400:
                text = _joined(choose.choice(carriers).text[-500:], lesson.text, choose)
                made.append(
                    msgspec.structs.replace(lesson, text=text, voice=Voice.FOREIGN, source="twin:carried-attack", weight=1.3)
                )
        if lesson.voice is Voice.USER and lesson.harm != UNKNOWN and choose.random() < (0.3 if lesson.harm else 0.04):
            twin = f"twin:said-{lesson.harm}"
            made.append(msgspec.structs.replace(lesson, voice=Voice.MODEL, source=twin, weight=lesson.weight * 0.3))
    return made


_ORDERS = frozenset(
    {"lf_alpaca_en", "lf_alpaca_zh", "belle_seed_zh", "selfinstruct_user", "lf_tool_dpo", "belle-eval", "belle-seeds"}
)


def _joined(carrier: str, payload: str, choose: random.Random) -> str:
    parts = [carrier.strip(), payload.strip()]
    if choose.random() < 0.35:
        parts.reverse()
    return choose.choice(["\n", "\n\n", " "]).join(parts)


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


__all__ = ["UNKNOWN", "Lesson", "altered", "foreign_twins", "lessons", "shares", "texts_of", "voice_of"]
