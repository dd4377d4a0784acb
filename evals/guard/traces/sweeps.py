"""Simulated model extraction against ordinary traffic. Nobody's real attack: what is measured is what is simulated here."""

import random
from collections.abc import Callable

from hauberk.guard.limits.anomaly.extraction import WINDOW, judge
from hauberk.guard.limits.anomaly.settings import AnomalySettings
from hauberk.guard.limits.anomaly.texts import seen_of

WINDOWS = 300
FORMS = (
    "Define the word {}.",
    "Write a paragraph about {}.",
    "What is {}? Explain in three sentences.",
    "Translate '{}' to French and give an example.",
    "List five facts about {} in JSON.",
)
Draw = Callable[[random.Random], list[str]]


def extraction(pools: dict[str, list[str]]) -> dict[str, object]:
    """Share of windows of 64 prompts over the default threshold, by kind of traffic."""
    words = sorted({w for text in pools["alpaca_en"] for w in text.lower().split() if w.isalpha() and len(w) > 3})
    names = sorted(pools)

    def people(rng: random.Random) -> list[str]:
        chosen = rng.sample(names, rng.randint(2, 4))
        return [rng.choice(pools[rng.choice(chosen)]) for _ in range(WINDOW)]

    def one_source(rng: random.Random) -> list[str]:
        return [rng.choice(pools[chosen]) for chosen in [rng.choice(names)] for _ in range(WINDOW)]

    def application(rng: random.Random) -> list[str]:
        pool = pools[rng.choice(names)]
        return ["You are the assistant of a shop. Answer briefly.\nCustomer: " + rng.choice(pool) for _ in range(WINDOW)]

    def batch(rng: random.Random) -> list[str]:
        pool = pools[rng.choice(names)]
        return ["Is the mood of this text good, bad or neither? One word.\nText: " + rng.choice(pool)[:300] for _ in range(WINDOW)]

    def template(rng: random.Random) -> list[str]:
        form = rng.choice(FORMS)
        return [form.format(rng.choice(words)) for _ in range(WINDOW)]

    def templates(rng: random.Random) -> list[str]:
        return [rng.choice(FORMS).format(rng.choice(words)) for _ in range(WINDOW)]

    def dictionary(rng: random.Random) -> list[str]:
        start = rng.randrange(len(words) - WINDOW)
        return words[start : start + WINDOW]

    def perturbed(rng: random.Random) -> list[str]:
        seed, found = rng.choice(pools["alpaca_en"]).split(), []
        for _ in range(WINDOW):
            changed = seed[:]
            changed[rng.randrange(len(changed))] = rng.choice(words)
            found.append(" ".join(changed))
        return found

    def half(rng: random.Random) -> list[str]:
        mixed = people(rng)[: WINDOW // 2] + template(rng)[: WINDOW // 2]
        rng.shuffle(mixed)
        return mixed

    def natural(rng: random.Random) -> list[str]:
        return rng.sample(pools["alpaca_en"], WINDOW)

    warm, cold = 0.05, 1.0
    ordinary: dict[str, tuple[Draw, float]] = {
        "people, several sources": (people, warm),
        "one source": (one_source, warm),
        "application with its own frame": (application, warm),
        "application, temperature 0": (application, cold),
        "batch classification, temperature 0": (batch, cold),
    }
    sweeps: dict[str, tuple[Draw, float]] = {
        "template sweep": (template, cold),
        "template sweep, usual parameters": (template, 0.0),
        "five templates": (templates, cold),
        "dictionary walk": (dictionary, cold),
        "dictionary walk, usual parameters": (dictionary, 0.0),
        "perturbed copies of one prompt": (perturbed, cold),
        "half sweep, half ordinary": (half, warm),
        "natural prompts, temperature 0 (distillation)": (natural, cold),
    }
    return {
        "threshold": AnomalySettings().extraction_score,
        "windows_each": WINDOWS,
        "false_alarms": {name: _share(draw, mechanical) for name, (draw, mechanical) in ordinary.items()},
        "caught": {name: _share(draw, mechanical) for name, (draw, mechanical) in sweeps.items()},
    }


def _share(draw: Draw, mechanical: float) -> float:
    rng = random.Random(2026)  # noqa: S311 - a simulation that can be repeated
    threshold = AnomalySettings().extraction_score
    over = 0
    for _ in range(WINDOWS):
        window = []
        for text in draw(rng):
            body: dict[str, object] = {"temperature": 0, "logprobs": True} if rng.random() < mechanical else {"temperature": 0.7}
            window.append(seen_of(text, body))
        over += judge(window).score >= threshold
    return round(over / WINDOWS, 4)
