"""Best-of-N: the same request with small random changes of its letters, asked until one gets through."""

from random import Random
from typing import ClassVar

from hauberk.probe.attacks.attack import Cost, Family, Talk, Text
from hauberk.probe.attacks.search.climb import Climb, searchable
from hauberk.probe.seeds.seed import Seed
from hauberk.probe.targets.target import Abilities

TRIES = 10
_SHUFFLED, _TURNED, _NOISED = 0.6, 0.4, 0.06


class BestOfN:
    """`TRIES` tries: letters inside words mixed, case turned at random, letters moved by one."""

    name = "best-of-n"
    family = Family.SEARCH
    title: ClassVar[Text] = Text(en="Best-of-N: random changes until one gets through", zh="Best-of-N：随机改写直至成功")
    source = "Hughes et al. 2024, Best-of-N Jailbreaking"
    cost = Cost(requests=TRIES, usual=TRIES * 0.8)

    def fits(self, seed: Seed, abilities: Abilities) -> bool:
        """Goals with a score to climb."""
        return searchable(seed, abilities)

    async def run(self, seed: Seed, talk: Talk) -> int:
        """Tries until the goal is reached."""
        climb = Climb(seed, talk)
        for _ in range(TRIES):
            await climb.try_(shaken(seed.text, talk.rng))
            if climb.done:
                break
        return climb.best


def shaken(text: str, rng: Random) -> str:
    """`text` with letters mixed, turned and moved; a person still reads it."""
    return "".join(_letter(character, rng) for character in " ".join(_mixed(word, rng) for word in text.split(" ")))


def _mixed(word: str, rng: Random) -> str:
    """The word with its inner letters in another order; of a Chinese run, two neighbours changed."""
    if len(word) < 4 or rng.random() > _SHUFFLED:
        return word
    if not word.isascii():
        at = rng.randrange(len(word) - 1)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    inner = list(word[1:-1])
    rng.shuffle(inner)
    return word[0] + "".join(inner) + word[-1]


def _letter(character: str, rng: Random) -> str:
    if not (character.isascii() and character.isalpha()):
        return character
    if rng.random() < _TURNED:
        character = character.swapcase()
    if rng.random() < _NOISED and character not in "aAzZ":
        character = chr(ord(character) + rng.choice((-1, 1)))
    return character


ATTACK = BestOfN()
