"""The same words in another mouth.

A tool's result is for its reader. One that is nothing but a request, or has a request in it that nobody there would ask a person,
talks to the assistant: an indirect injection, though a user may ask the same. So users' ordinary requests are taught as attacks
when foreign, alone and inside foreign texts; so are harmful requests and direct attacks.
"""

import random
import re
from collections.abc import Iterator, Sequence

import msgspec
from evals.guard.training.rows import UNKNOWN, Lesson

from hauberk.detect.prompt.labels import KINDS, Voice

KIND = KINDS.index("injection-indirect")
MOST = 1500  # requests of one source
HARMFUL = 2000
TRUSTED = 0.8
"""Least weight of a harmful row whose text is surely a request."""
REQUESTS = frozenset(
    {"lf_alpaca_en", "lf_alpaca_zh", "belle_seed_zh", "selfinstruct_user", "lf_tool_dpo", "belle-eval", "belle-seeds", "mtbench",
     "collected:awesome-chatgpt-prompts-zh", "collected:lobe-chat-agents", "clinc", "cyberseceval_frr", "humaneval", "halluqa_zh",
     "cvalues_prompts_zh", "writingbench", "personas-zh", "own:ordinary-languages", "own:benign-playing-zh"}
)  # fmt: skip
"""Sources of ordinary requests to an assistant."""
ASKED_BACK = frozenset({"collected:lobe-chat-agents"})
"""Sources whose questions are an assistant's to its user."""
_ENDS = re.compile(r"(?<=[.!?。！？\n])\s*")


def foreign_twins(base: Sequence[Lesson], seed: int) -> list[Lesson]:
    """Twins of `base` in the mouth of tools and of the model, the same for the same seed."""
    choose = random.Random(seed)  # noqa: S311 - reproducible, not secret
    carriers = [x for x in base if x.voice is Voice.FOREIGN and not x.attack and 60 < len(x.text) < 1500 and x.source != "noise"]
    by_lang = {zh: [x for x in carriers if (x.lang == "zh") is zh] for zh in (True, False)}
    made: list[Lesson] = []
    for request in _requests(base, choose):
        weight = 0.7 if request.source == "clinc" else 1.2
        made.append(msgspec.structs.replace(request, voice=Voice.FOREIGN, attack=1, kind=KIND, weight=weight, source="twin:order"))
        homes = by_lang[request.lang == "zh"]
        if (
            homes
            and len(request.text) * (3 if request.lang == "zh" else 1) > 20
            and len(request.text) < 300
            and choose.random() < 0.5
        ):
            text = inserted(choose.choice(homes).text, request.text, choose)
            made.append(
                Lesson(text, Voice.FOREIGN, 1, UNKNOWN, KIND, UNKNOWN, 1.0, "twin:carried-order", request.group, request.lang)
            )
    made += _harmful(base, choose)
    for lesson in base:
        made += _attacks(lesson, by_lang[lesson.lang == "zh"], choose)
        if lesson.voice is Voice.USER and lesson.harm != UNKNOWN and choose.random() < (0.3 if lesson.harm else 0.04):
            twin = f"twin:said-{lesson.harm}"
            made.append(msgspec.structs.replace(lesson, voice=Voice.MODEL, source=twin, weight=lesson.weight * 0.3))
    return made


def _requests(base: Sequence[Lesson], choose: random.Random) -> list[Lesson]:
    """Ordinary requests of users, at most `MOST` of a source."""
    found: list[Lesson] = []
    for source in sorted(REQUESTS):
        pool = [x for x in base if x.source == source and x.voice is Voice.USER and not x.attack and x.harm == 0]
        pool = [x for x in pool if 6 < len(x.text) < 1500 and not (source in ASKED_BACK and x.text.rstrip().endswith(("?", "？")))]
        found += choose.sample(pool, min(MOST, len(pool)))
    return found


def _harmful(base: Sequence[Lesson], choose: random.Random) -> Iterator[Lesson]:
    """Requests for harm that a tool makes; sets with statements among them are left out, as statements are what tools return."""
    pool = [
        x for x in base if x.voice is Voice.USER and x.harm == 1 and x.attack == 0 and x.weight >= TRUSTED and len(x.text) < 500
    ]
    for lesson in choose.sample(pool, min(HARMFUL, len(pool))):
        yield msgspec.structs.replace(lesson, voice=Voice.FOREIGN, attack=1, kind=KIND, weight=0.6, source="twin:harmful-order")


def _attacks(lesson: Lesson, carriers: Sequence[Lesson], choose: random.Random) -> Iterator[Lesson]:
    """Some direct attacks, alone and inside foreign text."""
    if lesson.attack == 1 and lesson.voice is Voice.USER and choose.random() < 0.3:
        yield msgspec.structs.replace(lesson, voice=Voice.FOREIGN, source="twin:attack")
        if carriers and len(lesson.text) < 400:
            text = inserted(choose.choice(carriers).text, lesson.text, choose)
            yield msgspec.structs.replace(lesson, text=text, voice=Voice.FOREIGN, source="twin:carried-attack", weight=1.3)


def inserted(text: str, order: str, choose: random.Random) -> str:
    """The order before, after or between the sentences of a piece of `text` that leaves both in one window."""
    wide = 480 if text.isascii() else 160
    room = max(60, min(len(text), int(wide * choose.uniform(0.3, 1.0)) - len(order)))
    start = choose.randrange(max(1, len(text) - room + 1))
    piece = text[start : start + room].strip()
    at = choose.choice([0, len(piece), len(piece), *(found.end() for found in _ENDS.finditer(piece))])
    seam = choose.choice((" ", "\n", "\n\n", ""))
    return f"{piece[:at]}{seam}{order.strip()}{seam}{piece[at:]}".strip()
