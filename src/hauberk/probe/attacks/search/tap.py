"""TAP: a tree of prompts by an attacker model, off-topic ones cut before they are asked, the best kept."""

from typing import ClassVar

import msgspec

from hauberk.probe.attacks.attack import Cost, Family, NoHelp, Talk, Text
from hauberk.probe.attacks.key_words import key_words
from hauberk.probe.attacks.search.attacker import proposal
from hauberk.probe.attacks.search.climb import Climb, searchable
from hauberk.probe.seeds.seed import Seed
from hauberk.probe.targets.target import Abilities

DEPTH, BRANCHES, WIDTH = 3, 2, 2
_TRIES = BRANCHES + (DEPTH - 1) * WIDTH * BRANCHES


class Leaf(msgspec.Struct, frozen=True):
    """A prompt that was asked."""

    prompt: str
    answer: str
    score: float


class Tap:
    """A tree of depth 3 with two branches of each of the two best leaves."""

    name = "tap"
    family = Family.SEARCH
    title: ClassVar[Text] = Text(en="TAP: a tree of attacks with pruning", zh="TAP：带剪枝的攻击树")
    source = "Mehrotra et al. 2023, Tree of Attacks: Jailbreaking Black-Box LLMs Automatically"
    cost = Cost(requests=_TRIES, usual=_TRIES * 0.7, advice=_TRIES, growth=2.0, extra=600)

    def fits(self, seed: Seed, abilities: Abilities) -> bool:
        """Goals with a score to climb."""
        return searchable(seed, abilities)

    async def run(self, seed: Seed, talk: Talk) -> int:
        """Grows the tree until a leaf reaches the goal."""
        climb = Climb(seed, talk)
        leaves: list[Leaf | None] = [None]
        for _ in range(DEPTH):
            grown: list[Leaf] = []
            for leaf in leaves:
                for _branch in range(BRANCHES):
                    prompt = await proposal(seed, talk, (leaf.prompt, leaf.answer, leaf.score) if leaf else None)
                    if not prompt or not on_topic(prompt, seed):
                        continue
                    reply, score = await climb.try_(prompt)
                    if climb.done:
                        return climb.best
                    grown.append(Leaf(prompt, reply.blocked or reply.text, score))
            if not grown:
                break
            leaves = list(sorted(grown, key=lambda leaf: -leaf.score)[:WIDTH])
        if climb.best < 0:
            raise NoHelp("the attacker model wrote no prompt on the topic")
        return climb.best


def on_topic(prompt: str, seed: Seed) -> bool:
    """Whether a prompt still names one of the things that the seed is about: what TAP asks a model, by key words."""
    words = key_words(seed.text)
    folded = prompt.casefold()
    return not words or any(word.casefold() in folded for word in words)


ATTACK = Tap()
