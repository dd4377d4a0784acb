"""Attack: how to ask. One file each, data where it can be; the folder is the registry."""

from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from random import Random
from typing import Protocol

import msgspec

from hauberk.assets.chat import ToolSpec
from hauberk.core import Text
from hauberk.probe.seeds.seed import Seed
from hauberk.probe.targets.target import Abilities, Message, Reply


class Family(StrEnum):
    """What kind of attack it is: the columns of the heat map."""

    PLAIN = "plain"  # the seed as it is: the base rate, and the ordinary requests
    INJECTION = "injection"
    INDIRECT = "indirect-injection"
    HIJACK = "goal-hijack"
    EXTRACTION = "prompt-extraction"
    JAILBREAK = "jailbreak"
    ENCODING = "encoding"
    TRANSLATION = "translation"
    CHINESE = "chinese-evasion"
    MULTI_TURN = "multi-turn"
    SEARCH = "search"
    GRADIENT = "gradient"
    AGENT = "agent-hijack"
    PRIVACY = "privacy"
    KNOWLEDGE = "knowledge"
    BIAS = "bias"
    WALLET = "denial-of-wallet"
    OUTPUT = "unsafe-output"
    THEFT = "model-extraction"
    IMAGE = "image"


class Cost(msgspec.Struct, frozen=True):
    """What one case takes at most and usually, for the plan and its budget.

    Attributes:
        requests: Most requests to the target.
        usual: Requests it usually takes.
        advice: Most requests to the attacker model.
        growth: Characters of the prompt for each character of the seed, about.
        extra: Characters that the attack adds, about.
    """

    requests: int = 1
    usual: float = 1.0
    advice: int = 0
    growth: float = 1.0
    extra: int = 0


class NoHelp(Exception):
    """The attack needs an attacker model, or an answer from it that it can use, and has none: the case is an error."""


class Talk(Protocol):
    """What an attack gets to work with: the engine records, retries, counts and bounds everything that goes through it.

    All randomness comes from `rng`, so that a resumed case takes the same way through its recorded replies.
    """

    @property
    def rng(self) -> Random: ...

    @property
    def abilities(self) -> Abilities: ...

    async def ask(self, messages: Sequence[Message], tools: Sequence[ToolSpec] = (), max_tokens: int | None = None) -> Reply:
        """Sends the whole conversation to the target. Raises TargetError; let it through."""
        ...

    async def advise(self, messages: Sequence[Message], max_tokens: int = 512) -> str:
        """Asks the attacker model. Raises NoHelp; let it through."""
        ...

    async def score(self, reply: Reply) -> float:
        """How far `reply` reaches the seed's goal, 0 to 1, by the run's judges: what searches climb."""
        ...

    async def restart(self) -> None:
        """A new session, for attacks that try again from the beginning."""
        ...


class Attack(Protocol):
    """How to ask. Stateless; one object serves all cases.

    A case is judged on the exchange whose number `run` returns (-1: the last), in the light of the whole transcript.
    """

    @property
    def name(self) -> str: ...

    @property
    def family(self) -> Family: ...

    @property
    def title(self) -> Text: ...

    @property
    def cost(self) -> Cost: ...

    @property
    def source(self) -> str:
        """Paper, standard or public description of the method."""
        ...

    def fits(self, seed: Seed, abilities: Abilities) -> bool:
        """Whether it makes sense for this seed and this target."""
        ...

    async def run(self, seed: Seed, talk: Talk) -> int:
        """Plays the attack; returns the number of the exchange to judge. Raises TargetError and NoHelp of `talk` only."""
        ...


class Transform(Protocol):
    """Disguises a text. Pure; the same `rng` state gives the same text."""

    def __call__(self, text: str, lang: str, rng: Random) -> str: ...


Ask = Callable[[Sequence[Message]], Awaitable[Reply]]
