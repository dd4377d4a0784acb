"""Attacks made of disguises: one alone, or one or more text steps before another attack."""

from collections.abc import Sequence
from random import Random

import msgspec

from hauberk.assets.chat import Role
from hauberk.probe.attacks.attack import Attack, Cost, Family, Talk, Text
from hauberk.probe.attacks.disguise import Disguise
from hauberk.probe.attacks.opening import opening
from hauberk.probe.attacks.reach import is_twin, reaches
from hauberk.probe.attacks.scripted import Scripted
from hauberk.probe.seeds.seed import Seed
from hauberk.probe.targets.target import Abilities, Message

MAX_PROMPT = 200_000
"""Characters that a composition may make of a seed; one that would make more does not fit."""


class Disguised:
    """The request in one disguise, with a word on how to read it."""

    def __init__(self, disguise: Disguise, *, bare: bool = False) -> None:
        self.disguise = disguise
        self.bare = bare

    @property
    def name(self) -> str:
        """The disguise's; `:bare` when the target is not told how to read it."""
        return f"{self.disguise.name}:bare" if self.bare else self.disguise.name

    @property
    def family(self) -> Family:
        """Encodings or Chinese evasions."""
        return self.disguise.family

    @property
    def title(self) -> Text:
        """The disguise's."""
        return self.disguise.title

    @property
    def source(self) -> str:
        """The disguise's."""
        return self.disguise.source

    @property
    def cost(self) -> Cost:
        """One request."""
        how = self.disguise.how
        told = 0 if how is None or self.bare else 140 + max(len(how.en), len(how.zh))
        return Cost(growth=self.disguise.growth, extra=self.disguise.extra + told)

    def fits(self, seed: Seed, abilities: Abilities) -> bool:
        """Whether the disguise changes the seed's text."""
        return reaches(self.family, (), seed, abilities) and self.disguise.suits(seed.text)

    def text(self, request: str, lang: str, rng: Random) -> str:
        """`request` in the disguise."""
        return (self.disguise if self.bare else self.disguise.told)(request, lang, rng)

    async def run(self, seed: Seed, talk: Talk) -> int:
        """Asks once."""
        message = Message(Role.USER, self.text(seed.text, seed.lang, talk.rng))
        await talk.ask([*opening(seed), message])
        return -1


class Composed:
    """Text steps, first to last, and then an attack on what they made."""

    def __init__(self, steps: Sequence[Disguised | Scripted], last: Attack) -> None:
        self._steps = tuple(steps)
        self._last = last

    @property
    def name(self) -> str:
        """The names of its steps, joined by `+`."""
        return "+".join(step.name for step in (*self._steps, self._last))

    @property
    def family(self) -> Family:
        """The last step's; that of the first when the last only asks."""
        return self._steps[0].family if self._last.family is Family.PLAIN else self._last.family

    @property
    def title(self) -> Text:
        """The titles of its steps."""
        titles = [step.title for step in (*self._steps, self._last)]
        return Text(en=" + ".join(title.en for title in titles), zh=" + ".join(title.zh for title in titles))

    @property
    def source(self) -> str:
        """The sources of its steps."""
        return "; ".join(dict.fromkeys(step.source for step in (*self._steps, self._last)))

    @property
    def cost(self) -> Cost:
        """The last step's requests, with the growth of all."""
        last = self._last.cost
        growth, extra = 1.0, 0.0
        for step in self._steps:
            growth, extra = growth * step.cost.growth, extra * step.cost.growth + step.cost.extra
        return msgspec.structs.replace(last, growth=growth * last.growth, extra=int(extra * last.growth) + last.extra)

    @property
    def last(self) -> Attack:
        """The step that asks."""
        return self._last

    def fits(self, seed: Seed, abilities: Abilities) -> bool:
        """Whether the last step is for such seeds, and every one before it works on what it gets."""
        text = seed.text if is_twin(seed) else self._made(seed)
        if text is None:
            return False
        if isinstance(self._last, Disguised):  # its letters are those of the text that the steps make
            asks = reaches(self._last.family, (), seed, abilities)
            return asks and self._last.disguise.suits(text) and self._last.cost.growth * len(text) <= MAX_PROMPT
        return self._last.fits(seed, abilities)

    async def run(self, seed: Seed, talk: Talk) -> int:
        """Disguises the seed's text, then plays the last attack with it; a twin has no order to disguise."""
        text = seed.text
        for step in () if is_twin(seed) else self._steps:
            text = _through(step, text, seed.lang, talk.rng)
        return await self._last.run(msgspec.structs.replace(seed, text=text), talk)

    def _made(self, seed: Seed) -> str | None:
        """What the steps make of the seed's text, with some key or other; None when one of them cannot take it."""
        text, rng = seed.text, Random(0)  # noqa: S311 - only lengths and letters are looked at
        for step in self._steps:
            fitting = step.disguise.suits(text) if isinstance(step, Disguised) else step.script.messages[0].of(seed.lang)
            if not fitting:
                return None
            text = _through(step, text, seed.lang, rng)
            if len(text) > MAX_PROMPT:
                return None
        return text


def _through(step: Disguised | Scripted, text: str, lang: str, rng: Random) -> str:
    return step.text(text, lang, rng) if isinstance(step, Disguised) else step.text(text, lang)
