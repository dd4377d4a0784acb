"""AutoDAN's search without gradients: jailbreak texts as a population, crossed and changed, the fittest kept."""

import re
from random import Random
from typing import ClassVar

from hauberk.probe.attacks.attack import Cost, Family, Talk, Text
from hauberk.probe.attacks.carrier import is_chinese
from hauberk.probe.attacks.scripted import Scripted
from hauberk.probe.attacks.search.climb import Climb, searchable
from hauberk.probe.seeds.seed import Seed
from hauberk.probe.targets.target import Abilities

POPULATION, GENERATIONS, KEPT = 6, 4, 2
_TRIES = POPULATION + (GENERATIONS - 1) * (POPULATION - KEPT)
_SLOT = "{request}"
_SENTENCE = re.compile(r"[^.!?。！？\n]*[.!?。！？\n]?\s*")
_SWAPS: dict[bool, tuple[tuple[str, str], ...]] = {
    False: (
        ("must", "should"), ("answer", "reply"), ("question", "request"), ("never", "at no time"), ("always", "in every case"),
        ("story", "tale"), ("write", "set down"), ("character", "figure"), ("imagine", "suppose"), ("rules", "limits"),
        ("directly", "at once"), ("detailed", "thorough"), ("step", "stage"), ("help", "assist"), ("pretend", "act as if"),
    ),
    True: (
        ("必须", "应当"), ("回答", "答复"), ("问题", "请求"), ("不要", "切勿"), ("故事", "小说"), ("角色", "人物"),
        ("想象", "设想"), ("规则", "限制"), ("直接", "立刻"), ("详细", "周密"), ("步骤", "环节"), ("帮助", "协助"),
        ("扮演", "饰演"), ("请", "烦请"),
    ),
}  # fmt: skip


class Genetic:
    """A population of six jailbreak texts over four generations: crossed at sentences, words swapped, the best two kept."""

    name = "genetic"
    family = Family.SEARCH
    title: ClassVar[Text] = Text(en="Genetic search over jailbreak texts", zh="越狱模板的遗传搜索")
    source = "Liu et al. 2023, AutoDAN: Generating Stealthy Jailbreak Prompts (its genetic search, scored by the answers)"
    cost = Cost(requests=_TRIES, usual=_TRIES * 0.7, growth=1.0, extra=900)

    def fits(self, seed: Seed, abilities: Abilities) -> bool:
        """Goals with a score to climb."""
        return searchable(seed, abilities)

    async def run(self, seed: Seed, talk: Talk) -> int:
        """Breeds until a text reaches the goal or the generations are over."""
        climb, chinese = Climb(seed, talk), is_chinese(seed.lang)
        texts = founders(chinese=chinese)
        talk.rng.shuffle(texts)
        scored: list[tuple[float, str]] = []
        young = texts[:POPULATION]
        for _ in range(GENERATIONS):
            for text in young:
                _, score = await climb.try_(text.replace(_SLOT, seed.text))
                if climb.done:
                    return climb.best
                scored.append((score, text))
            scored.sort(key=lambda one: -one[0])
            parents = [text for _, text in scored[: KEPT * 2]]
            young = [child(parents, talk.rng, chinese=chinese) for _ in range(POPULATION - KEPT)]
        return climb.best


def founders(*, chinese: bool) -> list[str]:
    """The one-message jailbreaks that ship, as texts with `{request}`, in a fixed order."""
    from hauberk.probe.attacks.registry import all_attacks

    lang = "zh" if chinese else "en"
    texts: list[str] = []
    for attack in all_attacks().values():
        if isinstance(attack, Scripted) and attack.family is Family.JAILBREAK and attack.one_text:
            text = attack.script.messages[0].of(lang)
            if text.count(_SLOT) == 1:
                texts.append(text)
    return sorted(texts)


def child(parents: list[str], rng: Random, *, chinese: bool) -> str:
    """A text whose sentences come from two parents, with some words swapped; the request stands in it once."""
    left, right = (sentences(rng.choice(parents)) for _ in range(2))
    own = next(part for part in left if _SLOT in part)
    before = [part for part in left if part is not own]
    other = [part for part in right if _SLOT not in part]
    mixed = [rng.choice(pair) for pair in zip(before, other, strict=False)]
    longer = before if len(before) > len(other) else other
    mixed += [part for part in longer[len(mixed) :] if rng.random() < 0.5]
    mixed.insert(len(mixed) if rng.random() < 0.7 else rng.randrange(len(mixed) + 1), own)
    return swapped("".join(part if part[-1:].isspace() or chinese else f"{part} " for part in mixed).strip(), rng, chinese=chinese)


def sentences(text: str) -> list[str]:
    """`text` in sentences; joined again they are `text`."""
    return [found for found in _SENTENCE.findall(text) if found]


def swapped(text: str, rng: Random, *, chinese: bool) -> str:
    """`text` with some of its words replaced by others of the same meaning; never inside `{request}`."""
    head, slot, tail = text.partition(_SLOT)
    parts = [head, tail]
    for old, new in _SWAPS[chinese]:
        if rng.random() < 0.3:
            parts = [part.replace(old, new) for part in parts]
    return parts[0] + slot + parts[1]


ATTACK = Genetic()
