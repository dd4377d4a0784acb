"""Rows made of rows: attacks in the midst of ordinary requests, orders inside long documents, and as many harmless twins.

A model taught single sentences learns how an attack sounds, not that one sentence of many is one. Each mixture therefore has a
twin without an attack, so that neither length nor the seam between two texts gives it away.
"""

import random
from collections.abc import Sequence

import msgspec
from evals.guard.training.foreign import inserted
from evals.guard.training.rows import UNKNOWN, Lesson

from hauberk.detect.prompt.labels import KINDS, Voice

SEAMS = ("\n", " ", "\n\n", ". ", " - ", "\n---\n", "\n\n\n")
ATTACKS, TWINS = 8000, 7000  # of each voice and language
SHARE = 0.45  # of the mixtures' weight, in that of all other rows together
_WINDOW = {True: 160, False: 480}  # characters of a window; Chinese counts three


def mixtures(rows: Sequence[Lesson], seed: int) -> list[Lesson]:
    """Mixtures of `rows`, the same for the same seed."""
    choose = random.Random(seed)  # noqa: S311 - reproducible, not secret
    made: list[Lesson] = []
    for chinese in (True, False):
        side = [row for row in rows if (row.lang == "zh") is chinese]
        made += _requests(side, choose)
        made += _documents(side, choose, _WINDOW[chinese])
    return made


def _requests(rows: Sequence[Lesson], choose: random.Random) -> list[Lesson]:
    short = [row for row in rows if row.voice is Voice.USER and 8 < len(row.text) < 350]
    attacks = [row for row in short if row.attack == 1]
    plain = [row for row in short if row.attack == 0 and row.harm == 0]
    made: list[Lesson] = []
    for _ in range(ATTACKS):
        attack = choose.choice(attacks)
        parts = [choose.choice(plain).text.strip(), attack.text.strip()]
        if choose.random() < 0.25:
            parts.reverse()
        if choose.random() < 0.2:
            parts.append(choose.choice(plain).text.strip())
        text = choose.choice(SEAMS).join(parts)
        made.append(msgspec.structs.replace(attack, text=text, source="mix:attack", weight=1.0, harm=UNKNOWN))
    for _ in range(TWINS):
        parts = [choose.choice(plain).text.strip() for _ in range(2 + (choose.random() < 0.3))]
        made.append(
            msgspec.structs.replace(choose.choice(plain), text=choose.choice(SEAMS).join(parts), source="mix:benign", weight=1.0)
        )
    return made


def _documents(rows: Sequence[Lesson], choose: random.Random, width: int) -> list[Lesson]:
    documents = [row for row in rows if row.attack == 0 and row.harm <= 0 and len(row.text) > 500 and _is_document(row)]
    orders = [row for row in rows if row.voice is Voice.FOREIGN and row.attack == 1 and 8 < len(row.text) < 260 and _is_order(row)]
    made: list[Lesson] = []
    kind = KINDS.index("injection-indirect")
    for _ in range(ATTACKS if documents and orders else 0):
        order = choose.choice(orders)
        whole = inserted(choose.choice(documents).text, order.text, choose)
        made.append(Lesson(whole, Voice.FOREIGN, 1, UNKNOWN, kind, UNKNOWN, 1.0, "mix:doc-attack", order.group, order.lang))
    for _ in range(TWINS if documents else 0):
        document = choose.choice(documents)
        text = _window(document.text, choose)[:width]
        made.append(Lesson(text, Voice.FOREIGN, 0, 0, UNKNOWN, UNKNOWN, 1.0, "mix:doc", document.group, document.lang))
    return made


def _is_document(row: Lesson) -> bool:
    return row.voice is Voice.FOREIGN or row.source in {"lf_docs", "writingbench"}


def _is_order(row: Lesson) -> bool:
    return "payload" in row.source or row.source in {"twin:order", "twin:attack", "twin:harmful-order"}


def _window(text: str, choose: random.Random) -> str:
    start = choose.randrange(max(1, len(text) - 400))
    return text[start : start + choose.randrange(60, 480)]
