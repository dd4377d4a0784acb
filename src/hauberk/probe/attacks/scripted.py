"""Plays a script that asks: one message or several, with what was said before, a system prompt or a begun answer."""

from collections.abc import Sequence

from hauberk.assets.chat import Role
from hauberk.probe.attacks.attack import Cost, Talk
from hauberk.probe.attacks.carrier import is_chinese
from hauberk.probe.attacks.disguise import Disguise
from hauberk.probe.attacks.fill import fill, places
from hauberk.probe.attacks.key_words import key_words
from hauberk.probe.attacks.of_script import OfScript
from hauberk.probe.attacks.opening import opening
from hauberk.probe.attacks.reach import answer_room, reaches
from hauberk.probe.attacks.script import Script
from hauberk.probe.seeds.seed import Seed
from hauberk.probe.targets.target import Abilities, Message


class Scripted(OfScript):
    """An attack made of a Script."""

    def __init__(self, script: Script, disguises: Sequence[Disguise] = ()) -> None:
        super().__init__(script, disguises)
        self._cost = max((_cost(script, lang, self._disguises) for lang in ("en", "zh")), key=lambda cost: cost.extra)

    @property
    def cost(self) -> Cost:
        """Worked out from the texts: every turn sends again what was said before it."""
        return self._cost

    def fits(self, seed: Seed, abilities: Abilities) -> bool:
        """Whether the seed is of its kind, its language has words here, and the target takes such messages."""
        script = self.script
        if not reaches(script.family, script.goals, seed, abilities) or not script.messages[0].of(seed.lang):
            return False
        if (script.system and not abilities.system) or (script.prefill and not abilities.prefill):
            return False
        if (script.turns or script.history) and not abilities.turns:
            return False
        if script.history and abilities.stateful:
            return False
        return all(disguise.suits(seed.text) for disguise in self._disguises[:1])

    @property
    def one_text(self) -> bool:
        """Whether it is one message and nothing beside it, so that it can be a step of a composition."""
        script = self.script
        beside = script.turns or script.history or script.system or script.prefill or self._disguises
        return not beside

    def text(self, request: str, lang: str) -> str:
        """The message of a script of one text around `request`."""
        return fill(self.script.messages[0].of(lang), _values(request, request, lang))

    async def run(self, seed: Seed, talk: Talk) -> int:
        """Plays the script to its end, or until a guard stops it."""
        script, lang = self.script, seed.lang
        request = seed.text
        for disguise in self._disguises:
            request = disguise.told(request, lang, talk.rng)
        values = _values(request, seed.text, lang)
        messages = opening(seed, fill(script.system.of(lang), values) if script.system else "")
        messages += [Message(Role(line.role), fill(line.of(lang), values)) for line in script.history]
        for turn in script.messages:
            messages.append(Message(Role.USER, fill(turn.of(lang), values)))
            begun = [Message(Role.ASSISTANT, fill(script.prefill.of(lang), values))] if script.prefill else []
            reply = await talk.ask([*messages, *begun], max_tokens=answer_room(seed, script.max_tokens))
            if reply.blocked:
                break
            messages.append(Message(Role.ASSISTANT, reply.text))
        return -1


def _values(request: str, plain: str, lang: str) -> dict[str, str]:
    separator = "、" if is_chinese(lang) else ", "
    return {"request": request, "words": separator.join(key_words(plain))}


def _cost(script: Script, lang: str, disguises: Sequence[Disguise]) -> Cost:
    before = [carrier.of(lang) for carrier in (script.system, script.prefill) if carrier]
    before += [line.of(lang) for line in script.history]
    said = sum(map(len, before))
    held = sum(places(text).count("request") for text in before)
    extra, sent = 0, 0
    for turn in script.messages:
        said += len(turn.of(lang))
        held += places(turn.of(lang)).count("request")
        extra, sent = extra + said, sent + held
    growth = float(sent)
    for disguise in disguises:
        growth *= disguise.growth
        extra += disguise.extra
    turns = len(script.messages)
    return Cost(requests=turns, usual=turns, growth=growth, extra=extra)
