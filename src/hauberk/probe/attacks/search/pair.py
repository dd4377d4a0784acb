"""PAIR: an attacker model improves one prompt at a time by the target's answers."""

from typing import ClassVar

from hauberk.probe.attacks.attack import Cost, Family, NoHelp, Talk, Text
from hauberk.probe.attacks.search.attacker import proposal
from hauberk.probe.attacks.search.climb import Climb, searchable
from hauberk.probe.seeds.seed import Seed
from hauberk.probe.targets.target import Abilities

ROUNDS = 5


class Pair:
    """One stream of `ROUNDS` tries; the judges' score takes the place of a judge model."""

    name = "pair"
    family = Family.SEARCH
    title: ClassVar[Text] = Text(en="PAIR: an attacker model refines the prompt", zh="PAIR：由攻击模型逐轮改进提示")
    source = "Chao et al. 2023, Jailbreaking Black Box Large Language Models in Twenty Queries"
    cost = Cost(requests=ROUNDS, usual=ROUNDS * 0.7, advice=ROUNDS, growth=2.0, extra=600)

    def fits(self, seed: Seed, abilities: Abilities) -> bool:
        """Goals with a score to climb."""
        return searchable(seed, abilities)

    async def run(self, seed: Seed, talk: Talk) -> int:
        """Tries until the goal is reached or the rounds are over."""
        climb = Climb(seed, talk)
        tried: tuple[str, str, float] | None = None
        for _ in range(ROUNDS):
            prompt = await proposal(seed, talk, tried)
            if not prompt:
                continue
            reply, score = await climb.try_(prompt)
            if climb.done:
                break
            tried = prompt, reply.blocked or reply.text, score
        if climb.best < 0:
            raise NoHelp("the attacker model wrote no prompt that can be used")
        return climb.best


ATTACK = Pair()
