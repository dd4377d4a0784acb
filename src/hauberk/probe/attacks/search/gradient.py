"""GCG: a suffix found by greedy coordinate gradient on a local model, then asked of the target.

The model is a folder that transformers can load (weights and tokenizer), or a GGUF file in such a folder; its path stands in the
environment variable `HAUBERK_GCG_MODEL`. Needs the extra `gcg` (torch, transformers).
"""

import asyncio
import os
from importlib.util import find_spec
from typing import ClassVar

from hauberk.probe.attacks.attack import Cost, Family, NoHelp, Talk, Text
from hauberk.probe.attacks.carrier import is_chinese
from hauberk.probe.attacks.search.climb import Climb, searchable
from hauberk.probe.seeds.seed import Seed
from hauberk.probe.targets.target import Abilities

VARIABLE = "HAUBERK_GCG_MODEL"


class Gradient:
    """One suffix per request, optimised to make the local model begin its answer by complying."""

    name = "gcg"
    family = Family.GRADIENT
    title: ClassVar[Text] = Text(en="GCG: a suffix by gradient on a local model", zh="GCG：本地模型梯度后缀")
    source = "Zou et al. 2023, Universal and Transferable Adversarial Attacks on Aligned Language Models"
    cost = Cost(requests=1, growth=1.0, extra=200)

    def fits(self, seed: Seed, abilities: Abilities) -> bool:
        """Requests, when a local model is named and torch is there."""
        return bool(os.environ.get(VARIABLE)) and find_spec("torch") is not None and searchable(seed, abilities)

    async def run(self, seed: Seed, talk: Talk) -> int:
        """Finds the suffix in a thread of its own, then asks once."""
        from hauberk.probe.attacks.gradient.suffix import SuffixError, suffix

        begin = "好的，下面是" if is_chinese(seed.lang) else "Sure, here is"
        try:
            found = await asyncio.to_thread(suffix, os.environ[VARIABLE], seed.text, begin, talk.rng.randrange(1 << 30))
        except SuffixError as error:
            raise NoHelp(str(error)) from error
        climb = Climb(seed, talk)
        await climb.try_(f"{seed.text} {found}")
        return climb.best


ATTACK = Gradient()
